"""Bytes to extract from: a file on this machine, or bytes in memory."""

from __future__ import annotations

import io
from pathlib import Path
from typing import BinaryIO

from ipfs_accel_cli.extractors.base import Content


class FileContent:
    """A file on this machine; `name` where it is called otherwise than its path says, as files of a store are."""

    def __init__(self, path: Path, name: str = "") -> None:
        self._path = path
        self.name = name or path.name
        self.size_bytes = path.stat().st_size

    def head(self, count: int) -> bytes:
        """Return the first bytes."""
        with self._path.open("rb") as file:
            return file.read(count)

    def open(self) -> BinaryIO:
        """Open the file."""
        return self._path.open("rb")


class BytesContent:
    """Bytes in memory."""

    def __init__(self, data: bytes, name: str) -> None:
        self._data = data
        self.name = name
        self.size_bytes = len(data)

    def head(self, count: int) -> bytes:
        """Return the first bytes."""
        return self._data[:count]

    def open(self) -> BinaryIO:
        """Open the bytes."""
        return io.BytesIO(self._data)


class ContentReader:
    """A content as the readers of headers in `formats/` want it."""

    def __init__(self, content: Content, file: BinaryIO) -> None:
        self.name, self.size_bytes, self._file = content.name, content.size_bytes, file

    def read(self, offset: int, length: int) -> bytes:
        """Return a part of the file."""
        self._file.seek(offset)
        return self._file.read(max(0, min(length, self.size_bytes - offset)))
