"""A file that arrives: written as it comes, and hashed with it, so that its end proves the whole."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.services.model.content import Followed, Following
from ipfs_accel_cli.sources.base import RemoteFile

READ_BYTES = 1 << 20
SHA256 = "sha-256"

Follow = Callable[[Path], Following]
Maker = Callable[[], "hashlib._Hash"]


class Arriving:
    """A file to append to. With `follow` the store hashes it behind the writer, which also gives its sha-256."""

    def __init__(self, file: RemoteFile, target: Path, follow: Follow | None) -> None:
        self._target, self._follow = target, follow
        self._digests = [_Digest(*one) for one in stated(file)]
        self._descriptor = -1
        self._size_bytes = 0
        self._following: Following | None = None
        self._followed: Followed | None = None

    def __enter__(self) -> Arriving:
        if not self._target.exists():
            self._target.touch(mode=0o600)
        if self._follow is not None:
            self._following = self._follow(self._target)
        return self

    def __exit__(self, *_: object) -> None:
        if self._following is not None:
            self._following.close()
        if self._descriptor >= 0:
            os.close(self._descriptor)

    def present(self) -> int:
        """Hash what is there already; return its size in bytes."""
        with self._target.open("rb") as file:
            while chunk := file.read(READ_BYTES):
                current().check()
                self._hash(chunk)
        return self._size_bytes

    def append(self, chunk: bytes | memoryview) -> None:
        """Write and hash bytes that arrived; raises the OSError of a disk that failed."""
        if self._descriptor < 0:
            self._descriptor = os.open(self._target, os.O_WRONLY | os.O_CLOEXEC)
        view, offset = memoryview(chunk).cast("B"), self._size_bytes
        while len(view):
            written = os.pwrite(self._descriptor, view, offset)
            view, offset = view[written:], offset + written
        self._hash(chunk)

    def finish(self) -> Followed | None:
        """Wait until all of it is hashed and on the disk; return what the store needs of a file that it followed."""
        if self._following is not None:
            self._followed = self._following.finish()
        elif self._descriptor >= 0:
            os.fsync(self._descriptor)
        return self._followed

    def problem(self) -> str | None:
        """Say which stated digest the whole does not have."""
        for digest in self._digests:
            actual = self._sha256 if digest.name == SHA256 and self._following else digest.hash.hexdigest()
            if actual != digest.expected:
                return f"its {digest.name} is {actual}, the source states {digest.expected}"
        return None

    @property
    def _sha256(self) -> str:
        assert self._followed is not None
        return self._followed.sha256.hex()

    def _hash(self, chunk: bytes | memoryview) -> None:
        self._size_bytes += len(chunk)
        for digest in self._digests:
            if digest.name != SHA256 or self._following is None:
                digest.hash.update(chunk)
        if self._following is not None:
            self._following.grew(len(chunk))


class Unpacking:
    """Writes what comes out of archives, and lets the store hash it meanwhile; `followed` holds the outcomes."""

    def __init__(self, follow: Follow) -> None:
        self._follow = follow
        self.followed: dict[Path, Followed] = {}

    def write(self, target: Path, chunks: Iterable[bytes]) -> None:
        """Make a file that is not there yet. It is not on the disk before the store commits it."""
        with target.open("xb", buffering=0) as file, closing(self._follow(target)) as following:
            for chunk in chunks:
                view = memoryview(chunk)
                while len(view):
                    view = view[file.write(view) :]
                following.grew(len(chunk))
            self.followed[target] = following.finish(sync=False)


@dataclass(slots=True)
class _Digest:
    name: str
    expected: str
    make: Maker
    hash: hashlib._Hash = field(init=False)

    def __post_init__(self) -> None:
        self.hash = self.make()


def stated(file: RemoteFile) -> list[tuple[str, str, Maker]]:
    """Return the digests that the source states: name, hexadecimal value, and what makes the hash."""
    found: list[tuple[str, str, Maker]] = []
    if file.sha256 is not None:
        found.append((SHA256, file.sha256.hex(), hashlib.sha256))
    if file.git_sha1 is not None and file.size_bytes is not None:
        # git names a file by the hash of a header and the content.
        header = b"blob %d\0" % file.size_bytes
        found.append(("git blob id", file.git_sha1, lambda: hashlib.sha1(header, usedforsecurity=False)))
    return found
