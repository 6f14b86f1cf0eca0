"""CAR files: blocks in a row, read and written as a stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from . import carv2, dagcbor, varint
from .cid import CID
from .errors import Malformed, Unsupported

MAX_BLOCK_BYTES = 4 << 20
MAX_HEADER_BYTES = 1 << 20
_MAX_CID_BYTES = 256


class Readable(Protocol):
    """Anything with a blocking `read(size)`; short reads are allowed, empty means the end."""

    def read(self, size: int, /) -> bytes: ...


class Writable(Protocol):
    """Anything with a `write(data)` that takes all of it."""

    def write(self, data: bytes, /) -> object: ...


class Block(NamedTuple):
    """Some bytes and their name."""

    cid: CID
    data: bytes


@dataclass(frozen=True, slots=True)
class Header:
    """What stands before the blocks of a CARv1 file."""

    roots: tuple[CID, ...]


@dataclass(frozen=True, slots=True)
class Reader:
    """A CAR that was opened: its roots, its blocks as they come, and the version of the file."""

    roots: tuple[CID, ...]
    blocks: Iterator[Block]
    version: int = 1


def open_reader(stream: Readable, *, max_block_bytes: int = MAX_BLOCK_BYTES, verify: bool = True) -> Reader:
    """Read the header of a CARv1 or CARv2 file and return it with an iterator of the blocks.

    Raises as `read_header` and `read_blocks` do, but for CARv2; also Malformed for a CARv2 file that ends in its data.
    """
    header, version = _read_map(stream), 1
    if header == {"version": 2}:
        stream, version = carv2.open_payload(stream), 2
        header = _read_map(stream)
    roots = _decode_header(header).roots
    return Reader(roots, read_blocks(stream, max_block_bytes=max_block_bytes, verify=verify), version)


def read_header(stream: Readable) -> Header:
    """Read the header of a CARv1 file (https://ipld.io/specs/transport/car/carv1/).

    Raises Malformed, and Unsupported for a CARv2 file, which `open_reader` reads.
    """
    return _decode_header(_read_map(stream))


def read_blocks(stream: Readable, *, max_block_bytes: int = MAX_BLOCK_BYTES, verify: bool = True) -> Iterator[Block]:
    """Yield the blocks that follow the header, one in memory at a time.

    Raises Malformed for a truncated or larger block; with `verify`, Mismatch for a block that is not what its CID
    says, and Unsupported for a hash that cannot be computed.
    """
    while (length := _read_length(stream)) is not None:
        if length > max_block_bytes + _MAX_CID_BYTES:
            raise Malformed(f"a CAR section of {length} bytes is over the limit of {max_block_bytes}")
        cid, head = _read_cid(stream, length)
        size_bytes = length - len(bytes(cid))
        if size_bytes > max_block_bytes:
            raise Malformed(f"{cid} has {size_bytes} bytes, over the limit of {max_block_bytes}")
        data = _read_exactly(stream, size_bytes - len(head))
        if head:
            data = head + data
        if verify:
            cid.verify(data)
        yield Block(cid, data)


def write(stream: Writable, roots: Sequence[CID], blocks: Iterable[tuple[CID, bytes]]) -> int:
    """Write a CARv1 file and return its size in bytes; the blocks are written as they come and are not checked."""
    size_bytes = _write(stream, dagcbor.encode({"version": 1, "roots": list(roots)}))
    for cid, data in blocks:
        size_bytes += _write(stream, bytes(cid), data)
    return size_bytes


def _read_map(stream: Readable) -> dict[str, Any]:
    length = _read_length(stream)
    if not length:
        raise Malformed("the file is empty, or its header is: this is no CAR")
    if length > MAX_HEADER_BYTES:
        raise Malformed(f"a CAR header of {length} bytes is over {MAX_HEADER_BYTES}")
    header = dagcbor.decode(_read_exactly(stream, length))
    if not isinstance(header, dict) or type(header.get("version")) is not int:
        raise Malformed("the CAR header is not a map with a version")
    return header


def _decode_header(header: dict[str, Any]) -> Header:
    if header["version"] == 2:
        raise Unsupported("this is the header of a CARv2 file, where that of a CARv1 is expected")
    roots = header.get("roots")
    if header["version"] != 1 or set(header) != {"version", "roots"} or not isinstance(roots, list):
        raise Malformed(f"the CAR header is not that of version 1 (it states {header['version']})")
    if not all(isinstance(root, CID) for root in roots):
        raise Malformed("a root of the CAR is not a CID")
    return Header(tuple(roots))


def _write(stream: Writable, *parts: bytes) -> int:
    length = sum(map(len, parts))
    prefix = varint.encode(length)
    for part in (prefix, *parts):
        stream.write(part)
    return len(prefix) + length


def _read_length(stream: Readable) -> int | None:
    """Read the length of the next section; None at the end of the file."""
    prefix = bytearray()
    while byte := stream.read(1):
        prefix += byte
        if byte[0] < 0x80 or len(prefix) >= varint.MAX_BYTES:
            return varint.decode(prefix)[0]
    if prefix:
        raise Malformed("the CAR ends inside a length")
    return None


def _read_cid(stream: Readable, length: int) -> tuple[CID, bytes]:
    """Read the CID at the beginning of a section, and what was read beyond it.

    That is nothing for the CIDs that nearly all blocks have: a large block would else be copied once more.
    """
    head = _read_exactly(stream, min(length, 34))
    if head[:2] == b"\x12\x20":
        return CID.decode_bytes(head)[0], b""
    head += _read_exactly(stream, min(length - len(head), 2))
    if head[:1] != b"\x01" or head[2:4] != b"\x12\x20":
        head += _read_exactly(stream, min(length - len(head), _MAX_CID_BYTES))
    cid, end = CID.decode_bytes(head)
    return cid, head[end:]


def _read_exactly(stream: Readable, length: int) -> bytes:
    data = stream.read(length)
    if len(data) == length:
        return data
    parts, missing = [data], length - len(data)
    while missing and (data := stream.read(missing)):
        parts.append(data)
        missing -= len(data)
    if missing:
        raise Malformed(f"the CAR ends {missing} bytes too early")
    return b"".join(parts)
