"""Reading structures of Thrift's compact protocol as plain values, by field number.

Format: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from __future__ import annotations

import struct
from typing import Any

from ipfs_accel_cli.core.errors import MalformedContent

_TRUE, _FALSE, _BYTE, _SHORT, _INTEGER, _LONG, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(1, 13)
_NESTING = 32
_VALUES = 4_000_000


class Compact:
    """Reads one structure out of bytes; lists and values are never more than the bytes can hold."""

    def __init__(self, data: bytes, name: str) -> None:
        self._data, self._name = data, name
        self._at = self._values = 0

    def structure(self, depth: int = 0) -> dict[int, Any]:
        """Return the fields of a structure by their number; raises MalformedContent."""
        found: dict[int, Any] = {}
        number = 0
        while head := self._byte():
            kind, step = head & 15, head >> 4
            number = number + step if step else self._signed()
            # A truth value lies in the type of its field.
            found[number] = kind == _TRUE if kind in (_TRUE, _FALSE) else self._value(kind, depth + 1)
        return found

    def _value(self, kind: int, depth: int) -> Any:
        self._values += 1
        if depth > _NESTING or self._values > _VALUES:
            raise MalformedContent(f"{self._name}: the structure is nested too deeply or too large")
        if kind in (_TRUE, _FALSE):
            return self._byte() == _TRUE
        if kind == _BYTE:
            return struct.unpack("b", self._take(1))[0]
        if kind in (_SHORT, _INTEGER, _LONG):
            return self._signed()
        if kind == _DOUBLE:
            return struct.unpack("<d", self._take(8))[0]
        if kind == _BINARY:
            return self._take(self._varint())
        if kind in (_LIST, _SET):
            return self._list(depth)
        if kind == _MAP:
            return self._map(depth)
        if kind == _STRUCT:
            return self.structure(depth)
        raise MalformedContent(f"{self._name}: {kind} is no type of a value")

    def _list(self, depth: int) -> list[Any]:
        head = self._byte()
        count, kind = head >> 4, head & 15
        return [self._value(kind, depth + 1) for _ in range(self._count(count if count < 15 else self._varint()))]

    def _map(self, depth: int) -> dict[Any, Any]:
        count = self._count(self._varint())
        if not count:
            return {}
        kinds = self._byte()
        pairs = [(self._value(kinds >> 4, depth + 1), self._value(kinds & 15, depth + 1)) for _ in range(count)]
        return {key: value for key, value in pairs if isinstance(key, bytes | int)}

    def _count(self, count: int) -> int:
        # Each value takes a byte at least.
        if count > len(self._data) - self._at:
            raise MalformedContent(f"{self._name}: {count} values are more than the file can hold")
        return count

    def _byte(self) -> int:
        return self._take(1)[0]

    def _take(self, count: int) -> bytes:
        part = self._data[self._at : self._at + count]
        if len(part) < count:
            raise MalformedContent(f"{self._name}: truncated: {count} bytes are promised, {len(part)} are left")
        self._at += count
        return part

    def _varint(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value & ((1 << 64) - 1)
        raise MalformedContent(f"{self._name}: a number is too long")

    def _signed(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)
