"""Models from a CAR file of this machine: one that `model export` wrote, or any with a file or folder in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import NotFound
from ipfs_accel_cli.sources import car_archive
from ipfs_accel_cli.sources.base import RemoteFile, Snapshot, Writer, plainly
from ipfs_accel_cli.sources.file import FileSource, revision_of
from ipfs_accel_cli.sources.reference import Reference


class CarSource:
    """A CAR file, version 1 or 2, as it lies on the disk."""

    name = "car"

    def resolve(self, reference: Reference) -> Snapshot:
        """Pin the file as it is now, by name, size and times; raises NotFound."""
        path = current().path(reference.locator)
        if not path.is_file():
            raise NotFound(f"there is no CAR file {str(path)!r}", suggestion=f"ls {path.parent}")
        files = (RemoteFile(path.name, path.stat().st_size, local=path),)
        return Snapshot(reference, revision_of(files), files)

    def open(self, file: RemoteFile, offset: int = 0) -> Iterator[bytes]:
        """Yield the file's bytes from `offset` on."""
        return FileSource().open(file, offset)

    def unpack(
        self, snapshot: Snapshot, fetched: Mapping[str, Path], folder: Path, write: Writer = plainly
    ) -> Snapshot:
        """Write the files of the model under `folder`; raises as `car_archive.unpack`."""
        return unpacked(snapshot, next(iter(fetched.values())), folder, write)


def unpacked(snapshot: Snapshot, car: Path, folder: Path, write: Writer) -> Snapshot:
    """Return the snapshot with the files of the model in a CAR, written under `folder`."""
    found = car_archive.unpack(car, folder, snapshot.reference, write)
    files = tuple(RemoteFile(name, path.stat().st_size, local=path) for name, path in found.paths.items())
    revision = str(found.manifest.cid) if found.manifest else snapshot.revision
    return replace(snapshot, revision=revision, files=files, manifest=found.manifest, said=found.statements)
