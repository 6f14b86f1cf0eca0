"""What the converter writes, a few files, as one: a tar archive that is the same for the same files."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

from ipfs_accel_cli.core.errors import MalformedContent

# What CTranslate2 reads of a folder; nothing else is taken from an archive.
_READ = frozenset(
    {"model.bin", "config.json", "shared_vocabulary.json", "source_vocabulary.json", "target_vocabulary.json"}
    | {"shared_vocabulary.txt", "source_vocabulary.txt", "target_vocabulary.txt", "vmap.txt"}
)


def pack(folder: Path, target: Path) -> None:
    """Write the files of a folder into an archive, in the order of their names, without times or owners."""
    with tarfile.open(target, "w", format=tarfile.USTAR_FORMAT) as archive:
        for path in sorted(folder.iterdir()):
            if path.name in _READ:
                entry = tarfile.TarInfo(path.name)
                entry.size = path.stat().st_size
                with path.open("rb") as file:
                    archive.addfile(entry, file)


def unpack(path: Path) -> dict[str, bytes]:
    """Return the files of an archive, or of the folder of a model that brings them; raises MalformedContent."""
    if path.name == "model.bin":
        return {one.name: one.read_bytes() for one in path.parent.iterdir() if one.name in _READ}
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(path, "r:") as archive:
            for entry in archive:
                file = archive.extractfile(entry) if entry.name in _READ else None
                if file is not None:
                    found[entry.name] = file.read()
    except (tarfile.TarError, EOFError, io.UnsupportedOperation) as error:
        raise MalformedContent(f"what was made for ctranslate2 is damaged: {error}") from error
    return found
