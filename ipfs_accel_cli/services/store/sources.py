"""What a user's path holds: one file, or a folder's files, folders and symbolic links."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from ipfs_accel_cli.content.builder import Built, symlink
from ipfs_accel_cli.content.errors import Malformed
from ipfs_accel_cli.content.profiles import Profile
from ipfs_accel_cli.content.unixfs import check_name
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Invalid, NotFound
from ipfs_accel_cli.services.store import folders

_REPORT_BYTES = 4 << 20
_BUFFER_BYTES = 1 << 20

Kind = Literal["file", "directory", "symlink"]


@dataclass(frozen=True, slots=True)
class Found:
    """An entry below the path: `parts` are the names that lead to it, none for the path itself."""

    parts: tuple[str, ...]
    path: Path
    kind: Kind
    size_bytes: int = 0


class Meter:
    """Report the progress of many files as one count of bytes, a few times a second at most."""

    def __init__(self, total_bytes: int | None, message: str) -> None:
        self._total_bytes = total_bytes
        self._message = message
        self._done = self._told = 0

    def add(self, count: int) -> None:
        """Count bytes as done; raises Cancelled when the caller has gone."""
        self._done += count
        if self._done - self._told >= _REPORT_BYTES or self._done == self._total_bytes:
            self._told = self._done
            current().progress(self._done, self._total_bytes, self._message, unit="bytes")


def scan(path: Path) -> list[Found]:
    """List what is at a path, folders before what they hold.

    A symbolic link is followed when it is the path itself, and taken as a link inside a folder. Raises NotFound, and
    Invalid for what is neither file nor folder nor link or cannot be read.
    """
    with explained(path):
        status = path.stat()
    if not stat.S_ISDIR(status.st_mode):
        return [Found((), path, _kind(path, status), status.st_size)]
    return [Found((), path, "directory"), *_below(path, ())]


def assemble(
    found: list[Found], profile: Profile, store: Callable[[Found], Built], on_block: folders.BlockSink
) -> Built:
    """Build the DAG over what `scan` found; `store` makes the root of each file."""
    if found[0].kind == "file":
        return store(found[0])
    tree: folders.Tree = {}
    for entry in found[1:]:
        if entry.kind == "directory":
            folders.add(tree, list(entry.parts), {})
            continue
        folders.add(tree, list(entry.parts), _linked(entry, profile, on_block) or store(entry))
    return folders.finish(tree, profile, on_block)


@contextmanager
def open_regular(path: Path) -> Iterator[BinaryIO]:
    """Open a regular file for the block; raises NotFound and Invalid."""
    with explained(path):
        # Without O_NONBLOCK a named pipe would keep the call waiting for a writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb", buffering=_BUFFER_BYTES) as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise Invalid(f"{path} is not a regular file")
        yield file


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what can be wrong with a user's path into our errors."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            raise NotFound(f"there is no file or folder {str(path)!r}") from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENXIO, errno.ENAMETOOLONG):
            raise Invalid(f"cannot read {str(path)!r}: {error.strerror}") from error
        raise


def _below(folder: Path, parts: tuple[str, ...]) -> Iterator[Found]:
    if len(parts) >= folders.MAX_DEPTH:
        raise Invalid(f"{str(folder)!r} lies more than {folders.MAX_DEPTH} folders deep")
    current().check()
    with explained(folder):
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    for entry in entries:
        path = Path(entry.path)
        with explained(path):
            status = entry.stat(follow_symlinks=False)
        found = Found((*parts, _name(path)), path, _kind(path, status), status.st_size)
        yield found
        if found.kind == "directory":
            yield from _below(path, found.parts)


def _kind(path: Path, status: os.stat_result) -> Kind:
    for test, kind in _KINDS:
        if test(status.st_mode):
            return kind
    raise Invalid(f"{str(path)!r} is neither a file nor a folder nor a symbolic link")


_KINDS: tuple[tuple[Callable[[int], bool], Kind], ...] = (
    (stat.S_ISREG, "file"),
    (stat.S_ISDIR, "directory"),
    (stat.S_ISLNK, "symlink"),
)


def _name(path: Path) -> str:
    try:
        return check_name(path.name)
    except Malformed as error:
        raise Invalid(f"{path!r}: {error}") from error


def _linked(entry: Found, profile: Profile, on_block: folders.BlockSink) -> Built | None:
    if entry.kind != "symlink":
        return None
    with explained(entry.path):
        block, built = symlink(os.readlink(entry.path), profile)
    on_block(built.cid, block)
    return built
