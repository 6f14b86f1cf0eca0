"""Reading the header of a GGUF file: metadata and tensors, without tokenizer lists and weights.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. Our own reader, because the `gguf` package maps the
whole file and builds an array for every tokenizer entry, which a file elsewhere and a hostile one both forbid.
"""

from __future__ import annotations

import math
import struct
from dataclasses import replace
from typing import Any

from ipfs_accel_cli.core.errors import MalformedContent, UnsupportedContent
from ipfs_accel_cli.formats.reading import Cursor, Reader
from ipfs_accel_cli.formats.tensors import Header, Tensor

_KEY_BYTES = 1 << 16
_TEXT_BYTES = 1 << 20
_KEPT_ITEMS = 1024
_SMALLEST_TENSOR_BYTES = 24  # The length of a name, dimensions, type and offset.
_SMALLEST_PAIR_BYTES = 13
# Type number to struct's letter; 8 is text and 9 a list.
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_TEXT, _LIST = 8, 9
# ggml.h: type number to (name, numbers in a block, bytes of a block).
TYPES = {
    **{0: ("float32", 1, 4), 1: ("float16", 1, 2), 2: ("q4_0", 32, 18), 3: ("q4_1", 32, 20), 6: ("q5_0", 32, 22)},
    **{7: ("q5_1", 32, 24), 8: ("q8_0", 32, 34), 9: ("q8_1", 32, 36), 10: ("q2_k", 256, 84), 11: ("q3_k", 256, 110)},
    **{12: ("q4_k", 256, 144), 13: ("q5_k", 256, 176), 14: ("q6_k", 256, 210), 15: ("q8_k", 256, 292)},
    **{16: ("iq2_xxs", 256, 66), 17: ("iq2_xs", 256, 74), 18: ("iq3_xxs", 256, 98), 19: ("iq1_s", 256, 50)},
    **{20: ("iq4_nl", 32, 18), 21: ("iq3_s", 256, 110), 22: ("iq2_s", 256, 82), 23: ("iq4_xs", 256, 136)},
    **{24: ("int8", 1, 1), 25: ("int16", 1, 2), 26: ("int32", 1, 4), 27: ("int64", 1, 8), 28: ("float64", 1, 8)},
    **{29: ("iq1_m", 256, 56), 30: ("bfloat16", 1, 2), 34: ("tq1_0", 256, 54), 35: ("tq2_0", 256, 66)},
    **{39: ("mxfp4", 32, 17)},
}


def header(reader: Reader) -> Header:
    """Read a header; long lists, and texts but those about the model, are kept as their length under `KEY.length`.

    Raises MalformedContent for a breach of the format, UnsupportedContent for a version or type that is not known.
    """
    cursor = Cursor(reader)
    if cursor.take(4) != b"GGUF":
        raise MalformedContent(f"{reader.name}: this is no GGUF file")
    version = cursor.whole(4)
    if version not in (2, 3):
        raise UnsupportedContent(f"{reader.name}: GGUF version {version}; versions 2 and 3 are read")
    tensors, pairs = cursor.whole(8), cursor.whole(8)
    if tensors * _SMALLEST_TENSOR_BYTES + pairs * _SMALLEST_PAIR_BYTES > cursor.left_bytes:
        raise MalformedContent(f"{reader.name}: {tensors} tensors and {pairs} values are more than the file can hold")
    metadata: dict[str, Any] = {}
    for _ in range(pairs):
        key = _text(cursor, _KEY_BYTES, reader.name)
        metadata.update(_value(cursor, key, cursor.whole(4), reader.name))
    infos = [_info(cursor, reader.name) for _ in range(tensors)]
    data = _check_spans(infos, cursor, metadata, reader)
    return Header("gguf", tuple(replace(tensor, offset=data + offset) for tensor, offset in infos), metadata)


def _value(cursor: Cursor, key: str, kind: int, name: str) -> dict[str, Any]:
    if kind == _TEXT:
        return {key: _text(cursor, _TEXT_BYTES, name)}
    if kind != _LIST:
        return {key: _scalar(cursor, kind, name)}
    inner, count = cursor.whole(4), cursor.whole(8)
    if inner == _LIST:
        raise UnsupportedContent(f"{name}: {key!r} is a list of lists")
    if inner == _TEXT:
        if count * 8 > cursor.left_bytes:
            raise MalformedContent(f"{name}: {key!r} promises {count} texts, more than the file can hold")
        if key.startswith("general.") and count <= _KEPT_ITEMS:
            return {key: [_text(cursor, _KEY_BYTES, name) for _ in range(count)]}
        for _ in range(count):
            cursor.skip(cursor.whole(8))
        return {f"{key}.length": count}
    width = struct.calcsize("<" + _letter(inner, name))
    if count > _KEPT_ITEMS:
        cursor.skip(count * width)
        return {f"{key}.length": count}
    return {key: [_scalar(cursor, inner, name) for _ in range(count)]}


def _letter(kind: int, name: str) -> str:
    if kind not in _SCALARS:
        raise MalformedContent(f"{name}: {kind} is no type of a value")
    return _SCALARS[kind]


def _scalar(cursor: Cursor, kind: int, name: str) -> Any:
    letter = "<" + _letter(kind, name)
    return struct.unpack(letter, cursor.take(struct.calcsize(letter)))[0]


def _text(cursor: Cursor, limit: int, name: str) -> str:
    length = cursor.whole(8)
    if length > cursor.left_bytes:
        raise MalformedContent(f"{name}: truncated: a text of {length} bytes is promised, {cursor.left_bytes} are left")
    if length > limit:
        # Only templates are so long, and nothing here reads them.
        cursor.skip(length)
        return ""
    return cursor.take(length).decode("utf-8", "replace")


def _info(cursor: Cursor, name: str) -> tuple[Tensor, int]:
    """Return a tensor and where it begins in the data."""
    tensor = _text(cursor, _KEY_BYTES, name)
    dimensions = cursor.whole(4)
    if dimensions > 8:
        raise MalformedContent(f"{name}: tensor {tensor!r} has {dimensions} dimensions")
    shape = tuple(cursor.whole(8) for _ in range(dimensions))
    number = cursor.whole(4)
    if number not in TYPES:
        raise UnsupportedContent(f"{name}: tensor {tensor!r} has the unknown ggml type {number}")
    dtype, block, block_bytes = TYPES[number]
    count = math.prod(shape)
    if count >= 1 << 63 or count % block:
        raise MalformedContent(f"{name}: tensor {tensor!r} of {shape} is no whole number of {dtype} blocks")
    # ggml writes the innermost dimension first, everyone else last.
    return Tensor(tensor, dtype, shape[::-1], count // block * block_bytes), cursor.whole(8)


def _check_spans(infos: list[tuple[Tensor, int]], cursor: Cursor, metadata: dict[str, Any], reader: Reader) -> int:
    """Return where the data begins; raises MalformedContent for tensors that overlap or leave the file."""
    alignment = metadata.get("general.alignment", 32)
    if type(alignment) is not int or not 0 < alignment <= 1 << 20:
        raise MalformedContent(f"{reader.name}: an alignment of {alignment!r} makes no sense")
    data = -(-cursor.position // alignment) * alignment
    end = 0
    for tensor, offset in sorted(infos, key=lambda info: info[1]):
        if offset < end or offset % alignment:
            raise MalformedContent(f"{reader.name}: tensor {tensor.name!r} overlaps another or is not aligned")
        end = offset + tensor.size_bytes
    if data + end > reader.size_bytes and infos:
        raise MalformedContent(
            f"{reader.name}: truncated: the tensors end at byte {data + end}, the file at {reader.size_bytes}"
        )
    return data
