"""Models from a folder or a single file of this machine."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from ipfs_accel_cli.content.manifest import normalise_path
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Invalid, MalformedContent, NotFound, UnsafeContent
from ipfs_accel_cli.sources.base import RemoteFile, Snapshot
from ipfs_accel_cli.sources.reference import Reference

CHUNK_BYTES = 1 << 20


class FileSource:
    """A folder as it stands. Links are followed, but never out of the folder."""

    name = "file"

    def resolve(self, reference: Reference) -> Snapshot:
        """List the files of a folder, or the one file.

        The revision is made of paths, sizes and times, so that an unchanged folder is recognised without reading it.
        Raises NotFound, and UnsafeContent for a link that leaves the folder and for anything that is no plain file.
        """
        path = current().path(reference.locator)
        if not path.exists():
            raise NotFound(f"there is no file or folder {str(path)!r}", suggestion=f"ls {path.parent}")
        files = tuple(_folder(path)) if path.is_dir() else (_file(path.name, path),)
        if not files:
            raise NotFound(f"the folder {str(path)!r} holds no files")
        return Snapshot(reference, revision_of(files), files)

    def open(self, file: RemoteFile, offset: int = 0) -> Iterator[bytes]:
        """Yield the file's bytes from `offset` on."""
        if file.local is None:
            raise Invalid(f"{file.path} is not a file of this machine")
        with file.local.open("rb") as stream:
            stream.seek(offset)
            while chunk := stream.read(CHUNK_BYTES):
                yield chunk


def _folder(root: Path) -> Iterator[RemoteFile]:
    real_root = root.resolve()
    for folder, names, files in os.walk(root):
        names[:] = sorted(name for name in names if name not in (".git", "__pycache__"))
        for name in names:
            _inside(Path(folder, name), real_root)
            if Path(folder, name).is_symlink():
                raise UnsafeContent(f"{Path(folder, name)} is a link to a folder; copy the folder or leave it out")
        for name in sorted(files):
            path = Path(folder, name)
            _inside(path, real_root)
            yield _file(path.relative_to(root).as_posix(), path)


def _inside(path: Path, root: Path) -> None:
    if path.is_symlink() and not path.resolve().is_relative_to(root):
        raise UnsafeContent(f"{path} is a link that leaves {root}", suggestion="replace the link by the file itself")


def _file(name: str, path: Path) -> RemoteFile:
    try:
        normal = normalise_path(name)
    except ValueError as error:
        raise MalformedContent(f"{path}: {error}") from error
    if not path.is_file():
        raise UnsafeContent(f"{path} is not a plain file")
    return RemoteFile(normal, path.stat().st_size, local=path)


def revision_of(files: tuple[RemoteFile, ...]) -> str:
    """Name the state of files of this machine by their paths, sizes and times."""
    digest = hashlib.sha256()
    for file in files:
        if file.local is not None:
            state = file.local.stat()
            times = f"{state.st_mtime_ns}\0{state.st_ctime_ns}"
            digest.update(f"{file.path}\0{state.st_ino}\0{state.st_size}\0{times}\n".encode())
    return digest.hexdigest()[:16]
