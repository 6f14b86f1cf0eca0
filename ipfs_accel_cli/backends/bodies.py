"""Bodies as the files that libraries want to read, and what git calls them."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator

from ipfs_accel_cli.backends.base import Body
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import VerificationFailed
from ipfs_accel_cli.core.hub import git_blob


class Readable(io.BufferedIOBase):
    """A body as a file: read in order it asks for the bytes once, and only a step elsewhere begins anew."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self._at = 0
        self._pieces: Iterator[bytes | memoryview] | None = None
        self._rest = memoryview(b"")

    def read(self, size: int | None = -1, /) -> bytes:
        """Return so many bytes, fewer at the end; asks whether to stop."""
        wanted = self._body.size_bytes - self._at if size is None or size < 0 else size
        if self._pieces is None and wanted > 0:
            self._pieces = self._body.read(self._at, None)
        found = bytearray()
        while len(found) < wanted and (self._rest or self._next()):
            taken = self._rest[: wanted - len(found)]
            found += taken
            self._rest = self._rest[len(taken) :]
        self._at += len(found)
        return bytes(found)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Go to an offset; nothing is read until the next `read`."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._body.size_bytes}[whence]
        target = max(0, start + offset)
        if target != self._at:
            self._at, self._pieces, self._rest = target, None, memoryview(b"")
        return target

    def tell(self) -> int:
        """Return the offset of the next byte."""
        return self._at

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def _next(self) -> bool:
        current().check()
        piece = next(self._pieces, None) if self._pieces is not None else None
        self._rest = memoryview(piece or b"")
        return piece is not None


def git_sha1(body: Body, key: str) -> str:
    """Return the id that git gives a file of this content; raises VerificationFailed where it is not as announced."""
    blob, whole = git_blob(body.size_bytes), hashlib.sha256()
    for piece in body.read(0, None):
        current().check()
        blob.update(piece)
        whole.update(piece)
    if whole.digest() != body.sha256:
        raise VerificationFailed(f"the bytes for {key} are not those that were announced; nothing was sent")
    return str(blob.hexdigest())
