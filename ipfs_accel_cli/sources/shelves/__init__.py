"""What other tools of this machine keep: one file for each tool, which reads its folder and changes nothing."""

from __future__ import annotations

from pathlib import Path

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import NotFound
from ipfs_accel_cli.sources.shelves import hf_cache, lmstudio, ollama
from ipfs_accel_cli.sources.shelves.base import Shelf

SHELVES: dict[str, Shelf] = {"hf-cache": hf_cache.SHELF, "ollama": ollama.SHELF, "lmstudio": lmstudio.SHELF}


def find(text: str) -> tuple[Shelf, Path]:
    """Return the tool and the folder that a name of SHELVES or a path means.

    Raises NotFound where the tool keeps nothing, and for a folder that is no tool's; NotAuthorised.
    """
    shelf = SHELVES.get(text)
    if shelf is not None:
        root = current().path(shelf.default())
        if not shelf.owns(root):
            raise NotFound(f"{shelf.title} keeps no models in {root}", suggestion="ipfs-accel model import --from PATH")
        return shelf, root
    path = current().path(text)
    if not path.is_dir():
        tools = ", ".join(SHELVES)
        raise NotFound(f"{text!r} is neither a folder nor one of {tools}", suggestion="ipfs-accel model import --help")
    for folder in (path, path / "hub", path / "models"):
        for shelf in SHELVES.values():
            if shelf.owns(folder):
                return shelf, folder
    raise NotFound(
        f"{path} is not laid out as any of {', '.join(SHELVES)} does", suggestion=f"ipfs-accel model add {path}"
    )
