"""CARv2 files: the frame around a CARv1, read as a stream; their index, a way to seek, is not needed for that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from .errors import Malformed

PRAGMA = bytes.fromhex("0aa16776657273696f6e02")
HEADER_BYTES = 40
MAX_PADDING_BYTES = 64 << 20  # Files are padded to align their blocks, which takes kilobytes.

_FIRST_OFFSET = len(PRAGMA) + HEADER_BYTES
_PIECE_BYTES = 64 << 10


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Header:
    """Where the CARv1 lies in the file, and where the index, 0 for none; offsets count from the file's first byte."""

    data_offset: int
    data_bytes: int
    index_offset: int


class Payload:
    """The CARv1 inside: a stream that ends where the header says, and refuses a file that ends before."""

    def __init__(self, stream: _Readable, size_bytes: int) -> None:
        self._stream = stream
        self._left = size_bytes

    def read(self, size: int, /) -> bytes:
        """Read up to `size` bytes; raises Malformed when the file ends inside the payload."""
        wanted = min(size, self._left)
        data = self._stream.read(wanted) if wanted else b""
        if wanted and not data:
            raise Malformed(f"the CARv2 file ends {self._left} bytes before its data does")
        self._left -= len(data)
        return data


def open_payload(stream: _Readable) -> Payload:
    """Read on after the pragma, up to the CARv1 (https://ipld.io/specs/transport/car/carv2/); never seeks.

    Raises Malformed, also for more than 64 MiB of padding.
    """
    header = decode_header(_read_header(stream))
    padding = header.data_offset - _FIRST_OFFSET
    if padding > MAX_PADDING_BYTES:
        raise Malformed(f"the CARv2 file has {padding} bytes of padding, over {MAX_PADDING_BYTES}")
    while padding:
        skipped = len(stream.read(min(padding, _PIECE_BYTES)))
        if not skipped:
            raise Malformed("the CARv2 file ends before its data")
        padding -= skipped
    return Payload(stream, header.data_bytes)


def decode_header(data: bytes) -> Header:
    """Read the 40 bytes that follow the pragma: characteristics, which change nothing here, and three offsets.

    Raises Malformed for offsets that do not follow each other, as in a file whose writer did not finish.
    """
    if len(data) != HEADER_BYTES:
        raise Malformed(f"a CARv2 header has {HEADER_BYTES} bytes, not {len(data)}")
    data_offset, data_bytes, index_offset = (int.from_bytes(data[at : at + 8], "little") for at in (16, 24, 32))
    if data_offset < _FIRST_OFFSET or not data_bytes:
        raise Malformed(f"the CARv2 header puts {data_bytes} bytes of data at {data_offset}: the file was not finished")
    if index_offset and index_offset < data_offset + data_bytes:
        raise Malformed(f"the CARv2 header puts the index at {index_offset}, inside or before the data")
    return Header(data_offset, data_bytes, index_offset)


def _read_header(stream: _Readable) -> bytes:
    data = b""
    while len(data) < HEADER_BYTES and (piece := stream.read(HEADER_BYTES - len(data))):
        data += piece
    return data
