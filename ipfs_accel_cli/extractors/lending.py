"""How a child that reads a file apart gets its bytes: from a descriptor, or over a socket from whoever can read it."""

from __future__ import annotations

import io
import os
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Any, BinaryIO

_ASKED = struct.Struct("<QI")  # An offset and how many bytes.
_GIVEN = struct.Struct("<I")  # How many bytes follow.
_MOST_BYTES = 1 << 20


def descriptor(file: BinaryIO) -> int | None:
    """Return the descriptor of a plain file; None for what only looks like a file."""
    raw = file.raw if isinstance(file, io.BufferedReader) else file
    return raw.fileno() if isinstance(raw, io.FileIO) else None


class Lender:
    """Reads a file for a child. `theirs` is handed over and then closed here, so that the end of the child is seen."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.ours, self.theirs = socket.socketpair()

    def serve(self) -> bool:
        """Read what the child asks for; False when it asks for no more."""
        asked = self.ours.recv(_ASKED.size, socket.MSG_WAITALL)
        if len(asked) < _ASKED.size:
            return False
        offset, count = _ASKED.unpack(asked)
        self._file.seek(offset)
        data = self._file.read(min(count, _MOST_BYTES))
        with suppress(ConnectionError):  # The child was ended meanwhile, which its status tells.
            self.ours.sendall(_GIVEN.pack(len(data)) + data)
        return True

    def close(self) -> None:
        """Let go of both ends."""
        self.ours.close()
        self.theirs.close()


class Borrowed:
    """A content in a child, behind a descriptor that several may read at once although its offset is shared."""

    def __init__(self, number: int, name: str, size_bytes: int, *, lent: bool) -> None:
        self.name, self.size_bytes = name, size_bytes
        self._read = _over(socket.socket(fileno=number)) if lent else _from(number)

    def head(self, count: int) -> bytes:
        """Return the first bytes."""
        with self.open() as file:
            return file.read(count)

    def open(self) -> BinaryIO:
        """Open the file."""
        return io.BufferedReader(_Part(self._read, self.size_bytes), 1 << 16)


class _Part(io.RawIOBase):
    """Reads by offset."""

    def __init__(self, read: Callable[[int, int], bytes], size_bytes: int) -> None:
        self._part, self._size_bytes, self._position = read, size_bytes, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size_bytes}[whence]
        if base + offset < 0:
            raise OSError(22, "a file has no bytes before its first")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        count = max(0, min(len(view), self._size_bytes - self._position))
        data = self._part(self._position, count) if count else b""
        view[: len(data)] = data
        self._position += len(data)
        return len(data)


def _from(number: int) -> Callable[[int, int], bytes]:
    return lambda offset, count: os.pread(number, count, offset)


def _over(connection: socket.socket) -> Callable[[int, int], bytes]:
    def read(offset: int, count: int) -> bytes:
        connection.sendall(_ASKED.pack(offset, min(count, _MOST_BYTES)))
        length = connection.recv(_GIVEN.size, socket.MSG_WAITALL)
        if len(length) < _GIVEN.size:
            raise OSError("whoever reads the file has ended")
        (wanted,) = _GIVEN.unpack(length)
        return connection.recv(wanted, socket.MSG_WAITALL) if wanted else b""

    return read
