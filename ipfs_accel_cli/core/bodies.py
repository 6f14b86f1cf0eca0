"""Bytes that come in pieces, read as a file: the body of an answer without its framing, or whatever an iterator gives.

Both are raw streams under a `Reading`, which brings large reads into memory without a copy between.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Iterator
from http.client import HTTPException, HTTPResponse, IncompleteRead
from typing import TYPE_CHECKING

from ipfs_accel_cli.core.call import current

if TYPE_CHECKING:
    import httpx
    from _typeshed import WriteableBuffer

PIECE_BYTES = 256 << 10
_BUFFER_BYTES = 64 << 10
_MAX_LINE_BYTES = 4 << 10  # Of the size of a chunk, and of each line that follows the last one.
_MAX_TRAILER_BYTES = 64 << 10
_LINE_BYTES = 48  # What the size of a chunk fits into, nearly always.
_SIZE = re.compile(rb"[ \t]*([0-9a-fA-F]{1,15})[ \t]*(?:;.*)?", re.DOTALL)


class Source(io.RawIOBase):
    """A raw stream; `ended` says that more was wanted than there was."""

    ended = False

    def readable(self) -> bool:
        return True


class Reading(io.BufferedReader):
    """A source as a file that is read from beginning to end."""

    def __init__(self, source: Source) -> None:
        super().__init__(source, _BUFFER_BYTES)
        self._source = source

    @property
    def ended(self) -> bool:
        """Say whether more was wanted than there was."""
        return self._source.ended

    def pieces(self) -> Iterator[bytes]:
        """Yield all that is left, as it comes."""
        while piece := self.read1(PIECE_BYTES):
            yield piece


def reading(response: httpx.Response) -> Reading:
    """Return the body of a streamed answer, not decompressed; reading it raises what httpx raises."""
    return Reading(response.extensions.get("direct_body") or Pieces(response.iter_raw()))


def joined(pieces: Iterable[bytes], limit: int) -> bytes:
    """Return all of the bytes; where they are more than `limit`, the first of them, which are more than that, too."""
    parts, size_bytes = [], 0
    for piece in pieces:
        current().check()
        parts.append(piece)
        size_bytes += len(piece)
        if size_bytes > limit:
            break
    return b"".join(parts)


class Pieces(Source):
    """What an iterator gives."""

    def __init__(self, pieces: Iterator[bytes | memoryview]) -> None:
        super().__init__()
        self._pieces = pieces
        self._left = memoryview(b"")

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer)
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                self.ended = True
                return 0
            self._left = memoryview(piece)
        count = min(len(view), len(self._left))
        view[:count] = self._left[:count]
        self._left = self._left[count:]
        return count


class Body(Source):
    """The body of an answer of http.client, read from its connection; asks now and then whether to stop.

    `receive` is the connection's own `recv_into`, and `meaning` says what to raise for OSError and HTTPException, also
    where the body breaks off (IncompleteRead). `whole` says that all of it was read, and nothing came after it.
    """

    def __init__(
        self, answer: HTTPResponse, receive: Callable[[memoryview], int], meaning: Callable[[Exception], Exception]
    ) -> None:
        super().__init__()
        self._early: memoryview | None = None
        self._first, self._connection, self._meaning = answer.fp.read1, receive, meaning
        self._left = answer.length
        self._chunks = Chunks() if answer.chunked and answer.length != 0 else None

    @property
    def whole(self) -> bool:
        """Say whether the connection is at the end of the body, ready for another request."""
        at_end = self._chunks.over and not self._chunks.surplus if self._chunks else self._left == 0
        return at_end and not self._early

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        current().check()
        view = memoryview(buffer)
        try:
            count = self._chunked(view) if self._chunks else self._plain(view)
        except (OSError, HTTPException) as error:
            raise self._meaning(error) from error
        self.ended = self.ended or not count
        return count

    def _plain(self, view: memoryview) -> int:
        count = self._receive(view if self._left is None else view[: self._left])
        if self._left is not None:
            if not count and self._left and view:
                raise IncompleteRead(b"", self._left)
            self._left -= count
        return count

    def _chunked(self, view: memoryview) -> int:
        assert self._chunks is not None
        while view and not self._chunks.over:
            count = self._receive(view)
            if not count:
                raise IncompleteRead(b"")
            if kept := self._chunks.strip(view[:count]):
                return kept
        return 0

    def _receive(self, view: memoryview) -> int:
        if self._early is None:
            # What came together with the head lies in a buffer of http.client, and the connection has only the rest.
            self._early = memoryview(self._first(_BUFFER_BYTES)) if view else None
        if not self._early:
            return self._connection(view) if view else 0
        count = min(len(view), len(self._early))
        view[:count] = self._early[:count]
        self._early = self._early[count:]
        return count


class Chunks:
    """Takes the framing of chunks (RFC 9112, section 7.1) out of bytes, whatever pieces they come in.

    `over` says that the end has come; `surplus` that something came after it.
    """

    def __init__(self) -> None:
        self.over = self.surplus = False
        self._left = 0  # Of the chunk.
        self._line = b""  # The beginning of a line whose end has not come.
        self._read_line = self._size
        self._trailer_bytes = 0

    def strip(self, view: memoryview) -> int:
        """Move the data in `view` to its beginning and return how many bytes they are; raises HTTPException."""
        at = kept = 0
        end = len(view)
        while at < end:
            if count := min(self._left, end - at):
                if at != kept:
                    view[kept : kept + count] = view[at : at + count]
                at, kept = at + count, kept + count
                self._left -= count
            elif self.over:
                self.surplus = True
                break
            else:
                at += self._framing(view[at:])
        return kept

    def _framing(self, view: memoryview) -> int:
        """Read a line, or what there is of it; return how many bytes that were."""
        length = 0
        while True:
            piece = bytes(view[length : length + _LINE_BYTES])
            cut = piece.find(b"\n")
            length += len(piece) if cut < 0 else cut + 1
            self._line += piece if cut < 0 else piece[: cut + 1]
            if len(self._line) > _MAX_LINE_BYTES:
                raise HTTPException("a line between chunks has no end")
            if cut >= 0:
                line, self._line = self._line[:-1].removesuffix(b"\r"), b""
                self._read_line(line)
                return length
            if length == len(view):
                return length

    def _size(self, line: bytes) -> None:
        match = _SIZE.fullmatch(line)
        if match is None:
            raise HTTPException(f"{line[:20]!r} is no size of a chunk")
        self._left = int(match[1], 16)
        self._read_line = self._gap if self._left else self._trailer

    def _gap(self, line: bytes) -> None:
        if line:
            raise HTTPException("a chunk is longer than it says")
        self._read_line = self._size

    def _trailer(self, line: bytes) -> None:
        self._trailer_bytes += len(line)
        if self._trailer_bytes > _MAX_TRAILER_BYTES:
            raise HTTPException("what follows the last chunk has no end")
        self.over = not line
