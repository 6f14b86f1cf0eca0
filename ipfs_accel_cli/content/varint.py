"""Unsigned varints, the length prefix of every multiformat."""

from __future__ import annotations

from .errors import Malformed

Buffer = bytes | bytearray | memoryview

MAX_BYTES = 9  # The multiformats limit: 63 bits.


def encode(value: int) -> bytes:
    """Write a number from 0 to 2**64 - 1, seven bits a byte, lowest first."""
    if not 0 <= value < 1 << 64:
        raise Malformed(f"{value} does not fit an unsigned 64-bit varint")
    if value < 0x80:
        return bytes((value,))
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def decode(data: Buffer, offset: int = 0, *, max_bytes: int = MAX_BYTES) -> tuple[int, int]:
    """Read a number and return it with the offset that follows it.

    Raises Malformed when the data ends early, the number is longer than `max_bytes`, or it is not written in its
    shortest form (https://github.com/multiformats/unsigned-varint). Protobuf needs `max_bytes=10`.
    """
    if 0 <= offset < len(data) and data[offset] < 0x80:
        return data[offset], offset + 1  # Most are: codes and lengths.
    value = shift = 0
    end = min(len(data), offset + max_bytes)
    for position in range(offset, end):
        byte = data[position]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if byte == 0 and shift:
                raise Malformed("a varint is not in its shortest form")
            if value >> 64:
                raise Malformed("a varint is larger than 64 bits")
            return value, position + 1
        shift += 7
    if end - offset >= max_bytes:
        raise Malformed(f"a varint is longer than {max_bytes} bytes")
    raise Malformed("the data ends inside a varint")
