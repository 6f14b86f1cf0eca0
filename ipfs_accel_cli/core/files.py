"""Durable files: written under a temporary name, synced, renamed; and never through a link out of their folder."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import IO

from ipfs_accel_cli.core.errors import Conflict, DiskFull, Unavailable, classified

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def replacing(path: Path, mode: int = 0o644) -> Iterator[IO[bytes]]:
    """Write a file whole or not at all: the block writes a temporary file, which is synced and renamed at its end."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        os.replace(name, path)
        sync_folder(path.parent)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(name)
        raise


@contextmanager
def writing_into(folder: Path) -> Iterator[None]:
    """Say what a place that refuses to be written means: DiskFull, else Unavailable."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(f"no space left in {folder}") from error
        said = f"cannot write into {folder}: {error.strerror or error}"
        raise classified(error) or Unavailable(said, suggestion="choose another folder") from error


def refuse_unwritable(folder: Path) -> None:
    """Raise Unavailable where a folder can be neither written nor made, as far as that is known beforehand."""
    nearest = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    with writing_into(folder):
        if not nearest.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, f"{nearest} is a file")
        if not os.access(nearest, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, f"{nearest} is not writable")


def refuse_links(root: Path, path: str) -> None:
    """Raise Conflict where a folder between `root` and a path below it is a link, or a file."""
    if "/" not in path:
        return
    for parent in reversed(PurePosixPath(path).parents):
        step = root / parent
        if parent.parts and (step.is_symlink() or (step.exists() and not step.is_dir())):
            raise _in_the_way(step)


@contextmanager
def folder_inside(root: Path, path: str) -> Iterator[int]:
    """Open a folder below `root` for the block, made where it is missing; raises Conflict as `refuse_links`.

    Each step is opened from the one before, so that none can become a link meanwhile.
    """
    try:
        step, descriptor = root, os.open(root, _FOLDER)
    except FileNotFoundError:
        root.mkdir(parents=True, exist_ok=True)
        step, descriptor = root, os.open(root, _FOLDER)
    try:
        for part in PurePosixPath(path).parts:
            step /= part
            with suppress(FileExistsError):
                os.mkdir(part, dir_fd=descriptor)
            try:
                inner = os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=descriptor)
            except OSError as error:
                if error.errno in (errno.ELOOP, errno.ENOTDIR):
                    raise _in_the_way(step) from error
                raise
            os.close(descriptor)
            descriptor = inner
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def replacing_inside(root: Path, path: str, aside: str | None = None) -> Iterator[IO[bytes]]:
    """Write a file below `root` as `replacing` does, and never through a link below it; raises Conflict for one.

    `aside` is where it lies below `root` until it is whole, for a writer that is alone; else beside its place.
    """
    target = PurePosixPath(path)
    part = PurePosixPath(aside) if aside else target.with_name(f".{target.name}.{os.urandom(6).hex()}")
    with folder_inside(root, str(part.parent)) as source, folder_inside(root, str(target.parent)) as folder:
        with suppress(FileNotFoundError):
            os.unlink(part.name, dir_fd=source)
        try:
            with os.fdopen(os.open(part.name, _NEW, 0o666, dir_fd=source), "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(part.name, target.name, src_dir_fd=source, dst_dir_fd=folder)
            os.fsync(folder)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(part.name, dir_fd=source)
            raise


def _in_the_way(step: Path) -> Conflict:
    said = "is a link, and nothing is written through it" if step.is_symlink() else "is no folder"
    return Conflict(f"{step} {said}", suggestion="choose another folder")
