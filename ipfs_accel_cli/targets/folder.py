"""Folders of this machine as places that models are handed to: what is there and equal is left, nothing is replaced."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ipfs_accel_cli.content import passport
from ipfs_accel_cli.content.errors import ContentError
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Conflict
from ipfs_accel_cli.core.files import folder_inside, refuse_links, refuse_unwritable, replacing_inside, writing_into
from ipfs_accel_cli.core.locks import wait_for
from ipfs_accel_cli.core.space import check_space
from ipfs_accel_cli.sources.base import RemoteFile
from ipfs_accel_cli.sources.reference import Reference, of_path
from ipfs_accel_cli.targets.base import READ_BYTES, Delivery, Holding, Item, Parcel, Progress, Sent, damaged

# What is being written lies where nobody takes it for a file of the model, however its writer ends.
_PART = f"{passport.FOLDER}/incoming.part"


class FolderTarget:
    """A folder; it is made where it is missing. Only the files of a passport are ever replaced."""

    name = "file"

    def check(self, place: Reference) -> Reference:
        """Return the place with its path confined to what the caller may touch; raises NotAuthorised and Conflict."""
        path = current().path(place.locator)
        if path.exists() and not path.is_dir():
            raise Conflict(f"{path} is a file, and a model is handed to a folder", suggestion="choose another folder")
        return of_path(path)

    def read(self, place: Reference, path: str) -> bytes | None:
        """Return the bytes of a plain file in the folder; raises Conflict for one behind a link."""
        refuse_links(Path(place.locator), path)
        file = Path(place.locator, path)
        return file.read_bytes() if file.is_file() and not file.is_symlink() else None

    def look(self, place: Reference, parcel: Parcel) -> Holding:
        """List the folder; a file is hashed when the parcel has one of its path and size, and is present if equal."""
        wanted = {item.path: item for item in parcel.items}
        files = list(_files(Path(place.locator), wanted))
        same = frozenset(file.path for file in files if _equal(file, wanted))
        others = tuple(file.path for file in files if file.path not in wanted)
        return Holding(parcel.manifest if len(same) == len(wanted) else None, same, len(same) == len(wanted), others)

    def refuse(self, place: Reference, delivery: Delivery) -> None:
        """Raise Conflict for a file that differs, DiskFull, and Unavailable where the folder cannot be made."""
        if not delivery.holding.settled:
            folder = Path(place.locator)
            refuse_unwritable(folder)
            self._to_write(folder, delivery)

    def send(self, place: Reference, delivery: Delivery) -> Sent:
        """Write each file aside and rename it; raises Conflict, before any is written, for one that differs.

        Whoever pushes to the same folder waits; what the first one wrote is then not written again.
        """
        folder = Path(place.locator)
        if delivery.holding.settled:
            return Sent(of_path(folder), delivery.parcel.manifest, 0)
        with writing_into(folder), _alone(folder):
            (folder / _PART).unlink(missing_ok=True)
            missing = self._to_write(folder, delivery)
            total_bytes = sum(item.size_bytes for item in missing)
            progress = Progress(total_bytes)
            for item in missing:
                _write(item, folder, delivery.parcel, progress)
        return Sent(of_path(folder), delivery.parcel.manifest, total_bytes)

    def _to_write(self, folder: Path, delivery: Delivery) -> list[Item]:
        """Return what is missing, the passport first; raises Conflict for what is in its way, and DiskFull."""
        parcel, wanted = delivery.parcel, {item.path: item for item in delivery.parcel.items}
        _refuse_another(folder, self.read(of_path(folder), passport.CAR), parcel)
        there = {file.path: file for file in _files(folder, wanted)}
        _refuse_differing(folder, there, wanted, delivery.removed)
        missing = [item for item in wanted.values() if not _equal(there.get(item.path), wanted)]
        check_space(folder, sum(item.size_bytes for item in missing))
        # The passport comes first, so that a folder that was left half done is not taken for the whole model.
        return sorted(missing, key=lambda item: not passport.is_of_passport(item.path))

    def listed(self, sent: Sent, parcel: Parcel) -> list[RemoteFile]:
        """Read the parcel's files in the folder again and hash them."""
        return list(_files(Path(sent.reference.locator), {item.path: item for item in parcel.items}))


def _refuse_another(folder: Path, data: bytes | None, parcel: Parcel) -> None:
    """Raise Conflict where the passport of another model lies; one that cannot be read is nobody's."""
    try:
        found = str(passport.Passport.decode(data).manifest.cid) if data is not None else parcel.manifest
    except ContentError:
        return
    if found != parcel.manifest:
        raise Conflict(f"{folder} holds another model already, {found}", suggestion="choose another folder")


def _refuse_differing(
    folder: Path, there: Mapping[str, RemoteFile], wanted: Mapping[str, Item], removed: tuple[str, ...]
) -> None:
    models = [path for path in wanted if path in there and not passport.is_of_passport(path)]
    for path in wanted:
        refuse_links(folder, path)
    differing = [*(path for path in models if not _equal(there[path], wanted)), *removed]
    if differing:
        raise Conflict(f"{folder / differing[0]} is there already and differs", suggestion="choose another folder")


def _write(item: Item, folder: Path, parcel: Parcel, progress: Progress) -> None:
    hashed = hashlib.sha256()
    with replacing_inside(folder, item.path, _PART) as out:
        for piece in item.read():
            hashed.update(piece)
            out.write(piece)
            progress.add(len(piece), item.path)
        if hashed.digest() != item.sha256:
            raise damaged(item, parcel)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder's passport, which the kernel drops when the process dies; makes both."""
    with folder_inside(folder, passport.FOLDER) as descriptor:
        wait_for(descriptor, "Waiting for another push to this folder")
        yield


def _equal(file: RemoteFile | None, wanted: Mapping[str, Item]) -> bool:
    return file is not None and file.path in wanted and wanted[file.path].is_as(file)


def _files(folder: Path, wanted: Mapping[str, Item]) -> Iterator[RemoteFile]:
    """List what is in a folder; only plain files that could be of the parcel are hashed, a link never is."""
    for place, folders, names in os.walk(folder):
        for name in sorted([*names, *(one for one in folders if Path(place, one).is_symlink())]):
            path = Path(place, name)
            relative = path.relative_to(folder).as_posix()
            if path.is_symlink() or not path.is_file():
                yield RemoteFile(relative)
                continue
            size_bytes = path.stat().st_size
            item = wanted.get(relative)
            digest = _digest(path) if item is not None and item.size_bytes == size_bytes else None
            yield RemoteFile(relative, size_bytes, digest, local=path)


def _digest(path: Path) -> bytes:
    hashed = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(READ_BYTES):
            current().check()
            hashed.update(piece)
    return hashed.digest()
