"""Canonical DAG-JSON: the same data as DAG-CBOR, as JSON text."""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from typing import Any

from .cid import CID
from .errors import Malformed
from .varint import Buffer

MAX_DEPTH = 128

_BASE64 = re.compile(r"[A-Za-z0-9+/]*")
_STRING_OR_BRACKET = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_MAX_INTEGER_CHARACTERS = 21


def encode(value: Any) -> bytes:
    """Write a value of the types of `dagcbor.encode`: no spaces, keys sorted by their UTF-8 bytes.

    Raises Malformed for other types, and for a map that would read back as a link or as bytes
    (https://ipld.io/specs/codecs/dag-json/spec/). Floats are written in their shortest decimal form, for which the
    specification fixes no layout, so another library may write `1e-7` where this one writes `1e-07`.
    """
    plain = _plain(value, MAX_DEPTH)
    return json.dumps(plain, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8")


def decode(data: Buffer) -> Any:
    """Read a value; spaces and other key orders are accepted, repeated keys are not.

    Raises Malformed.
    """
    content = bytes(data)
    _check_depth(content)
    try:
        value = json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_from_pairs,
            parse_int=_parse_integer,
            parse_float=_parse_float,
            parse_constant=_refuse_constant,
        )
        _plain(value, MAX_DEPTH)  # Escapes can smuggle in half of a surrogate pair.
    except Malformed:
        raise
    except ValueError as error:
        raise Malformed(f"not DAG-JSON: {error}") from error
    return value


def _plain(value: Any, depth: int) -> Any:
    if depth == 0:
        raise Malformed(f"DAG-JSON deeper than {MAX_DEPTH} levels")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        _check_integer(value)
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise Malformed(f"DAG-JSON has no {value}")
        return value
    if isinstance(value, str):
        _utf8(value)
        return value
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"/": {"bytes": base64.b64encode(value).decode("ascii").rstrip("=")}}
    if isinstance(value, CID):
        return {"/": str(value)}
    if isinstance(value, (list, tuple)):
        return [_plain(item, depth - 1) for item in value]
    if isinstance(value, dict):
        if _reserved(value):
            raise Malformed('the DAG-JSON key "/" is reserved for links and bytes')
        return {key: _plain(value[key], depth - 1) for key in sorted(value, key=_utf8)}
    raise Malformed(f"DAG-JSON has no {type(value).__name__}")


def _from_pairs(pairs: list[tuple[str, Any]]) -> Any:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise Malformed("a DAG-JSON map holds a key twice")
    if not _reserved(value):
        return value
    if len(value) == 1:
        inner = value["/"]
        if isinstance(inner, str):
            return CID.parse(inner)
        if len(inner) == 1:
            return _decode_base64(inner["bytes"])
    raise Malformed('a DAG-JSON map with the key "/" is neither a link nor bytes')


def _reserved(value: dict[Any, Any]) -> bool:
    inner = value.get("/")
    return isinstance(inner, str) or (isinstance(inner, dict) and isinstance(inner.get("bytes"), str))


def _decode_base64(text: str) -> bytes:
    if not _BASE64.fullmatch(text):
        raise Malformed("DAG-JSON bytes are not unpadded base64")
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error as error:
        raise Malformed(f"DAG-JSON bytes are not base64: {error}") from error
    if base64.b64encode(data).rstrip(b"=") != text.encode("ascii"):
        raise Malformed("DAG-JSON bytes have stray bits at their end")
    return data


def _check_depth(content: bytes) -> None:
    """Refuse deep nesting before the recursive JSON reader meets it."""
    depth = 0
    for match in _STRING_OR_BRACKET.finditer(content):
        token = match[0]
        depth += token in (b"[", b"{")
        depth -= token in (b"]", b"}")
        # A link or bytes are up to two brackets more than the value that they stand for.
        if depth > MAX_DEPTH + 1:
            raise Malformed(f"DAG-JSON deeper than {MAX_DEPTH} levels")


def _check_integer(value: int) -> None:
    if not -(1 << 64) <= value < 1 << 64:
        raise Malformed("a DAG-JSON integer is larger than 64 bits")


def _parse_integer(text: str) -> int:
    if len(text) > _MAX_INTEGER_CHARACTERS:
        raise Malformed("a DAG-JSON integer is larger than 64 bits")
    value = int(text)
    _check_integer(value)
    return value


def _parse_float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise Malformed(f"the DAG-JSON number {text[:40]} is too large")
    return value


def _refuse_constant(text: str) -> Any:
    raise Malformed(f"DAG-JSON has no {text}")


def _utf8(text: Any) -> bytes:
    if not isinstance(text, str):
        raise Malformed(f"a DAG-JSON key is text, not {type(text).__name__}")
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise Malformed("DAG-JSON text holds half of a surrogate pair") from error
