"""A folder of links to a model's files in the store, for engines that want a folder; made again whenever it is lost."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from pathlib import Path

from ipfs_accel_cli.content.manifest import Manifest
from ipfs_accel_cli.core.errors import HomeUnusable, NotFound
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.services.model.content import Store


class Folders:
    """The model folders of one home, in `derived/models/`; in a temporary folder where the home cannot be written."""

    def __init__(self, home: Home, store: Store) -> None:
        self._home, self._store = home, store
        self._temporary: tempfile.TemporaryDirectory[str] | None = None

    def folder(self, manifest: Manifest) -> Path:
        """Return the folder with this manifest's files; raises NotFound when one is not in the store."""
        wanted = {entry.path: self._store.object_path(entry.cid) for entry in manifest.files}
        name = str(manifest.cid)
        present = self._home.derived / "models" / name
        if _is_whole(present, wanted):
            return present
        try:
            shelf = self._home.ensure("derived", "models")
        except HomeUnusable:
            shelf = self._fallback()
        return _build(shelf, name, wanted)

    def forget(self, keep: set[str]) -> None:
        """Remove the folders of all manifests but these, and what an interrupted build left."""
        shelf = self._home.derived / "models"
        for folder in shelf.iterdir() if shelf.is_dir() else ():
            if folder.name not in keep:
                shutil.rmtree(folder, ignore_errors=True)

    def _fallback(self) -> Path:
        if self._temporary is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="ipfs-accel-")
        return Path(self._temporary.name)


def _is_whole(folder: Path, wanted: dict[str, Path]) -> bool:
    # A link of a home that has moved since points nowhere, or to another file.
    return folder.is_dir() and all(_points_to(folder / name, target) for name, target in wanted.items())


def _points_to(link: Path, target: Path) -> bool:
    try:
        return link.samefile(target)
    except FileNotFoundError:
        return False


def _build(shelf: Path, name: str, wanted: dict[str, Path]) -> Path:
    missing = [path for path, target in wanted.items() if not target.exists()]
    if missing:
        raise NotFound(f"{missing[0]} of the model {name} is not in the store", suggestion="ipfs-accel doctor")
    fresh = shelf / f".{name}.{uuid.uuid4().hex}"
    for path, target in wanted.items():
        link = fresh / path
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(target)
    final = shelf / name
    try:
        os.rename(fresh, final)
    except OSError:
        # Another process built it first, or what is there is broken.
        if _is_whole(final, wanted):
            shutil.rmtree(fresh)
            return final
        shutil.rmtree(final, ignore_errors=True)
        os.rename(fresh, final)
    return final
