"""Reading the initializers of an ONNX model without their data, neither inside the file nor beside it.

Format: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto; wire format: https://protobuf.dev/programming-guides/encoding
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from ipfs_accel_cli.core.errors import MalformedContent
from ipfs_accel_cli.formats.reading import Cursor, Reader
from ipfs_accel_cli.formats.tensors import Header, Tensor

_NAME_BYTES = 1 << 16
_DIMENSIONS = 64
_TENSORS = 1_000_000
# TensorProto.DataType to torch's name and bits.
_DTYPES = {
    **{1: ("float32", 32), 2: ("uint8", 8), 3: ("int8", 8), 4: ("uint16", 16), 5: ("int16", 16), 6: ("int32", 32)},
    **{7: ("int64", 64), 9: ("bool", 8), 10: ("float16", 16), 11: ("float64", 64), 12: ("uint32", 32)},
    **{13: ("uint64", 64), 14: ("complex64", 64), 15: ("complex128", 128), 16: ("bfloat16", 16)},
    **{17: ("float8_e4m3fn", 8), 18: ("float8_e4m3fnuz", 8), 19: ("float8_e5m2", 8), 20: ("float8_e5m2fnuz", 8)},
    **{21: ("uint4", 4), 22: ("int4", 4), 23: ("float4_e2m1", 4)},
}
_GRAPH, _INITIALIZER = 7, 5
_DIMS, _DATA_TYPE, _TENSOR_NAME, _RAW = 1, 2, 8, 9


def header(reader: Reader) -> Header:
    """Return the initializers of the main graph; raises MalformedContent where the wire format is broken."""
    cursor = Cursor(reader)
    tensors: list[Tensor] = []
    graphs = 0
    for field, wire, length in fields(cursor, reader.size_bytes, reader.name):
        if field == _GRAPH and wire == 2:
            graphs += 1
            tensors += _initializers(cursor, cursor.position + length, reader.name)
        elif wire:
            cursor.skip(length)
    if not graphs:
        raise MalformedContent(f"{reader.name}: no graph: this is no ONNX model")
    return Header("onnx", tuple(tensors))


def _initializers(cursor: Cursor, end: int, name: str) -> list[Tensor]:
    found: list[Tensor] = []
    for field, wire, length in fields(cursor, end, name):
        if field == _INITIALIZER and wire == 2:
            found.append(_tensor(cursor, cursor.position + length, name))
            if len(found) > _TENSORS:
                raise MalformedContent(f"{name}: more than {_TENSORS} tensors")
        elif wire:
            cursor.skip(length)
    return found


def _tensor(cursor: Cursor, end: int, name: str) -> Tensor:
    dims: list[int] = []
    kind, label = 0, ""
    raw: tuple[int, int] | None = None  # Where the bytes begin, and how many they are.
    for field, wire, number in fields(cursor, end, name):
        if wire == 0:
            dims, kind = ([*dims, number] if field == _DIMS else dims), (number if field == _DATA_TYPE else kind)
            continue
        after = cursor.position + number
        if field == _DIMS and wire == 2:
            while cursor.position < after and len(dims) <= _DIMENSIONS:
                dims.append(_varint(cursor, after, name))
        elif field == _TENSOR_NAME and wire == 2 and number <= _NAME_BYTES:
            label = cursor.take(number).decode("utf-8", "replace")
        elif field == _RAW and wire == 2:
            raw = (cursor.position, number)
        if len(dims) > _DIMENSIONS:
            raise MalformedContent(f"{name}: a tensor has more than {_DIMENSIONS} dimensions")
        cursor.skip(after - cursor.position)
    dtype, bits = _DTYPES.get(kind, ("string" if kind == 8 else f"type{kind}", 0))
    if math.prod(dims) >= 1 << 60:
        raise MalformedContent(f"{name}: tensor {label!r} promises more numbers than any file holds")
    size_bytes = -(-math.prod(dims) * bits // 8)
    return Tensor(label, dtype, tuple(dims), size_bytes, raw[0] if raw and raw[1] == size_bytes else None)


def fields(cursor: Cursor, end: int, name: str) -> Iterator[tuple[int, int, int]]:
    """Yield (field, wire type, number).

    The number is the value for wire type 0; for others it is the length of the value, which the caller moves past.
    """
    while cursor.position < end:
        key = _varint(cursor, end, name)
        field, wire = key >> 3, key & 7
        if wire == 0:
            yield field, wire, _varint(cursor, end, name)
            continue
        length = {1: 8, 5: 4}.get(wire, -1) if wire != 2 else _varint(cursor, end, name)
        if not field or length < 0 or cursor.position + length > end:
            raise MalformedContent(f"{name}: broken protobuf at byte {cursor.position}")
        yield field, wire, length


def _varint(cursor: Cursor, end: int, name: str) -> int:
    value = 0
    for shift in range(0, 70, 7):
        if cursor.position >= end:
            break
        byte = cursor.take(1)[0]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & ((1 << 64) - 1)
    raise MalformedContent(f"{name}: broken protobuf at byte {cursor.position}")
