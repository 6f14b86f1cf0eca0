"""What is sent to S3 and what comes back, as botocore and as our connections want it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import UnsupportedOperation
from typing import Any

from ipfs_accel_cli.core.bodies import joined
from ipfs_accel_cli.core.errors import Unavailable

MAX_ANSWER_BYTES = 32 << 20  # A page of a listing has a thousand keys of at most a kilobyte each.
_PIECE_BYTES = 256 << 10


class Payload:
    """Bytes to be sent with a question; they can be sent again, and are never all in memory for it.

    It has the methods by which botocore knows a body, which it does not read here: its digest is signed instead.
    """

    def __init__(self, size_bytes: int, pieces: Callable[[], Iterator[bytes | memoryview]]) -> None:
        self._size_bytes = size_bytes
        self.pieces = pieces

    def __len__(self) -> int:
        return self._size_bytes

    def read(self, _: int = -1) -> bytes:
        """Refuse to be read at once; raises UnsupportedOperation."""
        raise UnsupportedOperation("a payload is sent in pieces")

    def seek(self, *_: int) -> int:
        """Go back to the beginning, where every sending begins."""
        return 0


def sending(data: bytes | memoryview) -> Payload:
    """Return bytes of the memory as a body."""
    return Payload(len(data), lambda: iter((memoryview(data),)))


class Told:
    """The bytes of an answer as botocore wants to read them."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self._data


def as_text(value: Any) -> str:
    """Return a header as text."""
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def as_bytes(value: str | bytes) -> bytes:
    """Return a body as bytes."""
    return value.encode() if isinstance(value, str) else value


def cut(pieces: Iterator[bytes | memoryview]) -> Iterator[bytes]:
    """Cut what is sent, so that no rest of it is copied over and over."""
    for piece in pieces:
        view = memoryview(piece)
        yield from (bytes(view[start : start + _PIECE_BYTES]) for start in range(0, len(view), _PIECE_BYTES))


def limited(chunks: Iterator[bytes], what: str) -> bytes:
    """Return a whole answer; raises Unavailable for one that is too long."""
    data = joined(chunks, MAX_ANSWER_BYTES)
    if len(data) > MAX_ANSWER_BYTES:
        raise Unavailable(f"the server of {what} answers with more than {MAX_ANSWER_BYTES} bytes to a question")
    return data
