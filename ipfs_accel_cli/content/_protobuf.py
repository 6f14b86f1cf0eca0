"""The little of protobuf that dag-pb and UnixFS use, read strictly."""

from __future__ import annotations

from collections.abc import Iterator

from . import varint
from .errors import Malformed
from .varint import Buffer

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_FIXED_BYTES = {FIXED64: 8, FIXED32: 4}


def number_field(field: int, value: int) -> bytes:
    """Write a varint field."""
    return varint.encode(field << 3 | VARINT) + varint.encode(value)


def bytes_field(field: int, value: bytes) -> bytes:
    """Write a length-delimited field."""
    return varint.encode(field << 3 | BYTES) + varint.encode(len(value)) + value


def fields(data: Buffer) -> Iterator[tuple[int, int, int, memoryview]]:
    """Yield (field, wire type, number, content) of each field in the order of the bytes.

    `number` holds varints and is 0 otherwise; `content` is a view of the other fields' bytes. Raises Malformed for
    groups, truncated fields and varints that are not in their shortest form.
    """
    view = memoryview(data)
    position, size = 0, len(view)
    while position < size:
        key, position = varint.decode(view, position, max_bytes=5)
        field, wire = key >> 3, key & 7
        if not field:
            raise Malformed("field number 0 does not exist")
        if wire == VARINT:
            number, position = varint.decode(view, position, max_bytes=10)
            yield field, wire, number, view[:0]
            continue
        if wire == BYTES:
            length, position = varint.decode(view, position, max_bytes=10)
        elif wire in _FIXED_BYTES:
            length = _FIXED_BYTES[wire]
        else:
            raise Malformed(f"wire type {wire} is not used by dag-pb or UnixFS")
        if length > size - position:
            raise Malformed(f"field {field} is longer than the data that holds it")
        yield field, wire, 0, view[position : position + length]
        position += length
