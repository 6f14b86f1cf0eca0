"""LM Studio's folder, and any other that is laid out as PUBLISHER/REPOSITORY/FILES."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

from ipfs_accel_cli.sources.base import RemoteFile
from ipfs_accel_cli.sources.reference import of_path
from ipfs_accel_cli.sources.shelves.base import Kept, Shelf, local_file

_SHARD = re.compile(r"-\d{5}-of-\d{5}$")
_WEIGHTS = (".gguf", ".safetensors")


def default() -> Path:
    """Return the folder that LM Studio uses: the one of its settings, else its own, else that of older versions."""
    home = Path("~/.lmstudio").expanduser()
    try:
        chosen = json.loads((home / "settings.json").read_text("utf-8")).get("downloadsFolder")
    except (OSError, ValueError, AttributeError):
        chosen = None
    older = Path("~/.cache/lm-studio/models").expanduser()
    own = Path(str(chosen)).expanduser() if chosen else home / "models"
    return older if not own.is_dir() and older.is_dir() else own


def owns(root: Path) -> bool:
    """Say whether a folder is laid out so."""
    folders = (path for path in root.glob("*/*") if path.is_dir())
    return root.is_dir() and any(path.suffix in _WEIGHTS for folder in folders for path in folder.iterdir())


def models(root: Path) -> Iterator[Kept]:
    """Yield each model: a GGUF file, its parts together and with the projector beside it, else a whole repository."""
    for repository in sorted(path for path in root.glob("*/*") if path.is_dir()):
        name = repository.relative_to(root).as_posix()
        paths = sorted(path for path in repository.iterdir() if path.is_file() and not path.name.startswith("."))
        projectors = [path for path in paths if path.suffix == ".gguf" and "mmproj" in path.name.lower()]
        grouped: dict[str, list[Path]] = {}
        for path in paths:
            if path.suffix == ".gguf" and path not in projectors:
                grouped.setdefault(_SHARD.sub("", path.stem), []).append(path)
        if not grouped and any(path.suffix in _WEIGHTS for path in paths):
            yield _kept(name, repository, sorted(path for path in repository.rglob("*") if path.is_file()), root)
        for stem, parts in grouped.items():
            # A repository with one model is called by its own name.
            shown = name if len(grouped) == 1 else f"{name}/{stem}"
            yield _kept(shown, parts[0] if len(parts) == 1 else repository, [*parts, *projectors], root)


def _kept(name: str, place: Path, paths: list[Path], root: Path) -> Kept:
    files: list[RemoteFile] = []
    trouble = ""
    base = place if place.is_dir() else place.parent
    for path in paths:
        one, why = local_file(path.relative_to(base).as_posix(), path, root)
        trouble = trouble or why
        files += [one] if one is not None else []
    # LM Studio records neither a revision nor a digest, so the folder itself is all that can be named.
    return Kept(name, of_path(place), _revision(files), tuple(files), trouble=trouble)


def _revision(files: list[RemoteFile]) -> str:
    """Name the state of the files by what a hard link to them leaves as it was."""
    digest = hashlib.sha256()
    for file in files:
        changed_ns = file.local.stat().st_mtime_ns if file.local is not None else 0
        digest.update(f"{file.path}\0{file.size_bytes}\0{changed_ns}\n".encode())
    return digest.hexdigest()[:16]


SHELF = Shelf("LM Studio", default, owns, models)
