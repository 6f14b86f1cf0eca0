"""The bytes that are to be put, part by part, proven to be those that were announced."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from ipfs_accel_cli.backends.base import Body
from ipfs_accel_cli.backends.s3.parts import Span
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import VerificationFailed
from ipfs_accel_cli.core.parts import LONGEST_HELD_BYTES
from ipfs_accel_cli.core.s3_bodies import Payload, sending

_PIECE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Part:
    """A part that was read; its bytes lie in a `buffer` until somebody else is given that, or are read once more."""

    span: Span
    body: Body
    buffer: bytearray
    sha256: bytes | None

    def digest(self) -> bytes:
        """Return the sha-256 of the part."""
        return self.sha256 or hashlib.sha256(memoryview(self.buffer)[: self.span.length]).digest()

    def payload(self) -> Payload:
        """Return the bytes as they are sent; those of a very long part are read each time."""
        if self.sha256 is None:
            return sending(memoryview(self.buffer)[: self.span.length])
        return Payload(self.span.length, self._pieces)

    def _pieces(self) -> Iterator[bytes]:
        for piece in self.body.read(self.span.offset, self.span.length):
            view = memoryview(piece)
            for start in range(0, len(view), _PIECE_BYTES):
                current().check()
                yield bytes(view[start : start + _PIECE_BYTES])


def parts(body: Body, cut: Sequence[Span], key: str, buffer: Callable[[], bytearray]) -> Iterator[Part]:
    """Read a body once, from its beginning, and yield its parts; raises VerificationFailed after the last of them.

    Whoever takes them must therefore show nothing before the end. `buffer` gives room for the next part.
    """
    pieces = _exactly(body, key)
    rest = memoryview(b"")
    for span in cut:
        room, hashed, filled = buffer(), hashlib.sha256(), 0
        is_held = span.length <= LONGEST_HELD_BYTES
        if is_held and len(room) < span.length:
            room = bytearray(span.length)  # To let the one that there is grow would write it twice.
        view = memoryview(room)
        while filled < span.length:
            if not rest:
                rest = memoryview(next(pieces))
            taken, rest = rest[: span.length - filled], rest[span.length - filled :]
            if is_held:
                view[filled : filled + len(taken)] = taken
            else:
                hashed.update(taken)
            filled += len(taken)
        yield Part(span, body, room, None if is_held else hashed.digest())
    for _ in pieces:  # Nothing is left but the check at the end.
        pass


def digests(body: Body, cut: Sequence[Span], key: str) -> list[bytes]:
    """Return the digest of each part; raises VerificationFailed."""
    room = bytearray()
    return [part.digest() for part in parts(body, cut, key, lambda: room)]


def whole(body: Body, key: str) -> bytes:
    """Return all the bytes of a small body; raises VerificationFailed."""
    return b"".join(_exactly(body, key))


def hashing(pieces: Iterable[bytes]) -> bytes:
    """Return the digest of a stream."""
    hashed = hashlib.sha256()
    for piece in pieces:
        current().check()
        hashed.update(piece)
    return hashed.digest()


def _exactly(body: Body, key: str) -> Iterator[bytes | memoryview]:
    hashed, count = hashlib.sha256(), 0
    for piece in body.read(0, None):
        current().check()
        count += len(piece)
        if count > body.size_bytes:
            break
        hashed.update(piece)
        if piece:
            yield piece
    if count != body.size_bytes or hashed.digest() != body.sha256:
        raise VerificationFailed(f"the bytes for {key} are not those that were announced; nothing was put")
