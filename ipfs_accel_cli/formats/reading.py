"""Bytes of a file by offset, wherever it lies, and a cursor that goes forward over them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from ipfs_accel_cli.core.errors import MalformedContent

WINDOW_BYTES = 64 << 10
MAX_HEADER_BYTES = 256 << 20


class Reader(Protocol):
    """A file of known size whose parts can be read."""

    name: str
    size_bytes: int

    def read(self, offset: int, length: int) -> bytes:
        """Return `length` bytes from `offset` on, fewer only at the end of the file."""
        ...


class FileReader:
    """A file on this machine."""

    def __init__(self, path: Path, name: str = "") -> None:
        self._path = path
        self.name = name or path.name
        self.size_bytes = path.stat().st_size

    def read(self, offset: int, length: int) -> bytes:
        """Return a part of the file."""
        with self._path.open("rb") as file:
            file.seek(offset)
            return file.read(max(0, min(length, self.size_bytes - offset)))


class RangeReader:
    """A file elsewhere, of which `part(offset, length)` fetches parts."""

    def __init__(self, name: str, size_bytes: int, part: Callable[[int, int], bytes]) -> None:
        self.name, self.size_bytes, self._part = name, size_bytes, part

    def read(self, offset: int, length: int) -> bytes:
        """Return a part of the file."""
        length = max(0, min(length, self.size_bytes - offset))
        return self._part(offset, length) if length else b""


class Cursor:
    """Goes forward over a reader through a window, so that a skip costs nothing and memory stays bounded."""

    def __init__(self, reader: Reader, *, limit_bytes: int = MAX_HEADER_BYTES) -> None:
        self._reader = reader
        self._window, self._start = b"", 0
        self._taken, self._limit = 0, limit_bytes
        self.position = 0

    @property
    def left_bytes(self) -> int:
        """How many bytes of the file lie ahead."""
        return self._reader.size_bytes - self.position

    def take(self, count: int) -> bytes:
        """Return the next bytes; raises MalformedContent at the end of the file or over the limit for headers."""
        self._check(count)
        self._taken += count
        if self._taken > self._limit:
            raise MalformedContent(f"{self._reader.name}: the header is over {self._limit} bytes")
        at = self.position - self._start
        if not (at >= 0 and at + count <= len(self._window)):
            self._start, at = self.position, 0
            self._window = self._reader.read(self.position, max(count, WINDOW_BYTES))
            if len(self._window) < count:
                raise MalformedContent(f"{self._reader.name}: truncated at byte {self.position + len(self._window)}")
        self.position += count
        return self._window[at : at + count]

    def skip(self, count: int) -> None:
        """Pass over bytes without reading them."""
        self._check(count)
        self.position += count

    def whole(self, size: int) -> int:
        """Return the next little-endian whole number of `size` bytes."""
        return int.from_bytes(self.take(size), "little")

    def _check(self, count: int) -> None:
        if count < 0 or count > self.left_bytes:
            raise MalformedContent(
                f"{self._reader.name}: truncated: {count} bytes are promised at {self.position}, {self.left_bytes} left"
            )
