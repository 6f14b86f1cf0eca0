"""Canonical DAG-CBOR: one way to write each value, and nothing else is read."""

from __future__ import annotations

import math
import struct
from typing import Any

from .cid import CID
from .errors import Malformed
from .varint import Buffer

MAX_DEPTH = 128

_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _LIST, _MAP, _TAG, _SIMPLE = range(8)
_CID_TAG = 42
_WIDTHS = {24: 1, 25: 2, 26: 4, 27: 8}
_SIMPLE_VALUES = {20: False, 21: True, 22: None}
_FLOAT64 = 27


def encode(value: Any) -> bytes:
    """Write None, bool, int (64 bits), finite float, str, bytes, list, tuple, dict with text keys, or CID.

    Raises Malformed for anything else (https://ipld.io/specs/codecs/dag-cbor/spec/).
    """
    out = bytearray()
    _encode(value, out, MAX_DEPTH)
    return bytes(out)


def decode(data: Buffer) -> Any:
    """Read one value that fills the data; raises Malformed for all that `encode` would have written otherwise.

    Memory stays in proportion to the data: stated lengths are checked against what remains before they are used.
    """
    reader = _Reader(memoryview(data))
    value = reader.value(MAX_DEPTH)
    if reader.position != len(data):
        raise Malformed(f"{len(data) - reader.position} bytes follow the DAG-CBOR value")
    return value


def _encode(value: Any, out: bytearray, depth: int) -> None:
    if depth == 0:
        raise Malformed(f"DAG-CBOR deeper than {MAX_DEPTH} levels")
    if value is None:
        out.append(0xF6)
    elif isinstance(value, bool):
        out.append(0xF5 if value else 0xF4)
    elif isinstance(value, int):
        out += _head(_UNSIGNED, value) if value >= 0 else _head(_NEGATIVE, -1 - value)
    elif isinstance(value, float):
        out += _encode_float(value)
    elif isinstance(value, str):
        text = _utf8(value)
        out += _head(_TEXT, len(text)) + text
    elif isinstance(value, (bytes, bytearray, memoryview)):
        out += _head(_BYTES, len(value)) + value
    elif isinstance(value, CID):
        content = b"\0" + bytes(value)
        out += _head(_TAG, _CID_TAG) + _head(_BYTES, len(content)) + content
    elif isinstance(value, (list, tuple)):
        out += _head(_LIST, len(value))
        for item in value:
            _encode(item, out, depth - 1)
    elif isinstance(value, dict):
        _encode_map(value, out, depth)
    else:
        raise Malformed(f"DAG-CBOR has no {type(value).__name__}")


def _encode_map(value: dict[Any, Any], out: bytearray, depth: int) -> None:
    out += _head(_MAP, len(value))
    for key, item in sorted(((_utf8(key), item) for key, item in value.items()), key=lambda pair: _order(pair[0])):
        out += _head(_TEXT, len(key)) + key
        _encode(item, out, depth - 1)


def _encode_float(value: float) -> bytes:
    if not math.isfinite(value):
        raise Malformed(f"DAG-CBOR has no {value}")
    return b"\xfb" + struct.pack(">d", value)


def _head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes((major << 5 | number,))
    for low, width in _WIDTHS.items():
        if number < 1 << 8 * width:
            return bytes((major << 5 | low,)) + number.to_bytes(width, "big")
    raise Malformed("an integer is larger than 64 bits")


def _utf8(text: Any) -> bytes:
    if not isinstance(text, str):
        raise Malformed(f"a DAG-CBOR key is text, not {type(text).__name__}")
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise Malformed(f"{text[:40]!r} is not text") from error


def _order(key: bytes) -> tuple[int, bytes]:
    return len(key), key


class _Reader:
    """A position in the data that moves over one value after another."""

    def __init__(self, data: memoryview) -> None:
        self._data = data
        self.position = 0

    def value(self, depth: int) -> Any:
        if depth == 0:
            raise Malformed(f"DAG-CBOR deeper than {MAX_DEPTH} levels")
        major, low = divmod(self._take(1)[0], 32)
        if major == _SIMPLE:
            return self._simple(low)
        number = self._number(low)
        if major == _UNSIGNED:
            return number
        if major == _NEGATIVE:
            return -1 - number
        if major == _BYTES:
            return bytes(self._take(number))
        if major == _TEXT:
            return self._text(number)
        if major == _LIST:
            self._require(number)
            return [self.value(depth - 1) for _ in range(number)]
        if major == _MAP:
            return self._map(number, depth)
        return self._cid(number)

    def _map(self, count: int, depth: int) -> dict[str, Any]:
        self._require(2 * count)
        result: dict[str, Any] = {}
        last = (-1, b"")
        for _ in range(count):
            major, low = divmod(self._take(1)[0], 32)
            if major != _TEXT:
                raise Malformed("a DAG-CBOR key is text")
            key = self._text(self._number(low))
            order = _order(key.encode("utf-8"))
            if order <= last:
                raise Malformed(f"the DAG-CBOR key {key[:40]!r} is out of order or repeated")
            last = order
            result[key] = self.value(depth - 1)
        return result

    def _cid(self, tag: int) -> CID:
        if tag != _CID_TAG:
            raise Malformed(f"DAG-CBOR has no tag {tag}")
        major, low = divmod(self._take(1)[0], 32)
        if major != _BYTES:
            raise Malformed("a DAG-CBOR link is bytes")
        content = self._take(self._number(low))
        if not content or content[0] != 0:
            raise Malformed("a DAG-CBOR link begins with a zero byte")
        return CID.parse(content[1:])

    def _simple(self, low: int) -> bool | float | None:
        if low == _FLOAT64:
            (number,) = struct.unpack(">d", self._take(8))
            if not math.isfinite(number):
                raise Malformed(f"DAG-CBOR has no {number}")
            return float(number)
        if low not in _SIMPLE_VALUES:
            raise Malformed(f"DAG-CBOR has no simple value {low}")
        return _SIMPLE_VALUES[low]

    def _number(self, low: int) -> int:
        if low < 24:
            return low
        if low not in _WIDTHS:
            raise Malformed("DAG-CBOR has no indefinite or reserved length")
        width = _WIDTHS[low]
        number = int.from_bytes(self._take(width), "big")
        if number < 24 or (width > 1 and number < 1 << 4 * width):
            raise Malformed("a DAG-CBOR number is not in its shortest form")
        return number

    def _text(self, length: int) -> str:
        try:
            return str(self._take(length), "utf-8")
        except UnicodeDecodeError as error:
            raise Malformed("DAG-CBOR text that is not UTF-8") from error

    def _take(self, length: int) -> memoryview:
        self._require(length)
        start, self.position = self.position, self.position + length
        return self._data[start : self.position]

    def _require(self, length: int) -> None:
        if length > len(self._data) - self.position:
            raise Malformed("the data ends inside a DAG-CBOR value")
