"""Models inside zip archives: the folder that is the model, without what lies around it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from zipfile import ZipInfo

from ipfs_accel_cli.sources import archive, layout
from ipfs_accel_cli.sources.base import RemoteFile, Writer, plainly


def unpack(
    path: Path, subfolder: str | None, reference: str, folder: Path, write: Writer = plainly
) -> tuple[RemoteFile, ...]:
    """Write the model's files under `folder` and return them, each with `local` set.

    Where no folder of the archive is a model, zips inside it are looked into as well. Raises UnsafeContent,
    MalformedContent, NotFound and Invalid as `Packed.unpack` says.
    """
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        tree = _tree(path, Path(scratch))
        chosen = layout.model_files(tree, subfolder, path.name, reference)
        for container in dict.fromkeys(tree[full][0] for full in chosen.values()):
            inside = {name: tree[full][1] for name, full in chosen.items() if tree[full][0] == container}
            archive.extract(container, [(info, folder / name) for name, info in inside.items()], write)
    return tuple(RemoteFile(name, (folder / name).stat().st_size, local=folder / name) for name in chosen)


def _tree(path: Path, scratch: Path) -> dict[str, tuple[Path, ZipInfo]]:
    """Map each path to its archive and member."""
    with archive.opened(path) as members:
        tree = {name: (path, info) for name, info in members.items()}
    if layout.model_folders(tree):
        return tree
    for number, name in enumerate([name for name in tree if name.endswith(".zip")]):
        inner = scratch / f"{number}.zip"
        archive.extract(path, [(tree[name][1], inner)])
        with archive.opened(inner) as members:
            tree |= {f"{name}/{inside}": (inner, info) for inside, info in members.items()}
    return tree
