"""Writing beside the place that was named, and renaming only into a place that is free."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ipfs_accel_cli.core.errors import Conflict, DiskFull, Invalid, NotFound
from ipfs_accel_cli.core.files import sync_folder
from ipfs_accel_cli.core.units import human_bytes


@contextmanager
def scratch_beside(destination: Path, size_bytes: int = 0) -> Iterator[Path]:
    """Give a path to write to for the block, on the file system of `destination`; it is removed afterwards.

    Raises NotFound when there is no such folder, Invalid when it cannot be written, DiskFull when a known size does
    not fit.
    """
    folder = destination.parent
    if not folder.is_dir():
        raise NotFound(f"there is no folder {str(folder)!r} to write to", suggestion=f"mkdir -p {folder}")
    free = shutil.disk_usage(folder).free
    if size_bytes > free:
        raise DiskFull(f"{human_bytes(size_bytes)} do not fit the {human_bytes(free)} that are free in {folder}")
    try:
        scratch = Path(tempfile.mkdtemp(prefix=f".{destination.name[:64]}.", dir=folder))
    except PermissionError as error:
        raise Invalid(f"cannot write to the folder {str(folder)!r}: {error.strerror}") from error
    try:
        yield scratch / "content"
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def rename_new(source: Path, destination: Path) -> None:
    """Give a synced file or folder its name, durably; raises Conflict when the name has been taken meanwhile."""
    try:
        if source.is_dir():
            os.rename(source, destination)
        else:
            _link_new(source, destination)
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR, errno.EISDIR):
            raise taken(destination) from error
        raise
    sync_folder(destination.parent)


def taken(destination: Path) -> Conflict:
    """Return the error for a name that holds something else."""
    return Conflict(
        f"{str(destination)!r} is there already and differs; it was not touched",
        suggestion="name another place with -o",
    )


def _link_new(source: Path, destination: Path) -> None:
    """Link where that is possible, for a rename would silently replace a file that appeared meanwhile."""
    try:
        os.link(source, destination)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EMLINK):
            raise
        os.rename(source, destination)
