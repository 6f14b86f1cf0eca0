"""Reading the footer of a Parquet file: its schema and counts, without a row of it.

Format: https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift. Our own reader, because the
libraries that read Parquet are larger than all else that this project needs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ipfs_accel_cli.core.errors import MalformedContent, UnsupportedContent
from ipfs_accel_cli.formats.reading import Reader
from ipfs_accel_cli.formats.thrift import Compact

MAGIC = b"PAR1"
_LOCKED = b"PARE"
MAX_FOOTER_BYTES = 64 << 20
_NESTING = 100
_PHYSICAL = ("boolean", "int32", "int64", "int96", "float", "double", "binary", "fixed")
# ConvertedType, and the field of the union LogicalType, to what people call them.
_CONVERTED = {
    **{0: "string", 1: "map", 3: "list", 4: "enum", 5: "decimal", 6: "date", 7: "time", 8: "time", 9: "timestamp"},
    **{10: "timestamp", 11: "uint8", 12: "uint16", 13: "uint32", 14: "uint64", 15: "int8", 16: "int16"},
    **{19: "json", 20: "bson", 21: "interval"},
}
_LOGICAL = {
    **{1: "string", 2: "map", 3: "list", 4: "enum", 5: "decimal", 6: "date", 7: "time", 8: "timestamp"},
    **{12: "json", 13: "bson", 14: "uuid", 15: "float16", 16: "variant", 17: "geometry", 18: "geography"},
}
_CODECS = ("uncompressed", "snappy", "gzip", "lzo", "brotli", "lz4", "zstd", "lz4_raw")


@dataclass(frozen=True, slots=True)
class Column:
    """A column by its path, as `a.b`, and the type of its values."""

    path: str
    type: str


@dataclass(frozen=True, slots=True)
class Footer:
    """What a footer says; `metadata` are the texts that the writer added, such as the schema of pandas."""

    columns: tuple[Column, ...]
    rows: int
    row_groups: int
    codecs: tuple[str, ...]
    writer: str
    metadata: Mapping[str, str]


def footer(reader: Reader) -> Footer:
    """Read a footer; raises MalformedContent, and UnsupportedContent for an encrypted one."""
    name = reader.name
    end = reader.read(max(0, reader.size_bytes - 8), 8)
    if len(end) < 8 or reader.size_bytes < 12 or end[4:] not in (MAGIC, _LOCKED):
        raise MalformedContent(f"{name}: this is no whole Parquet file")
    if end[4:] == _LOCKED:
        raise UnsupportedContent(f"{name}: the footer is encrypted")
    length = int.from_bytes(end[:4], "little")
    if length > min(reader.size_bytes - 12, MAX_FOOTER_BYTES):
        raise MalformedContent(f"{name}: a footer of {length} bytes is more than there can be")
    found = Compact(reader.read(reader.size_bytes - 8 - length, length), name).structure()
    schema, rows, groups = found.get(2), found.get(3), found.get(4)
    if not _structures(schema) or type(rows) is not int or rows < 0 or not _structures(groups):
        raise MalformedContent(f"{name}: the footer lacks its schema, rows or row groups")
    pairs = found.get(5) if _structures(found.get(5)) else []
    metadata = {_text(pair.get(1)): _text(pair.get(2)) for pair in pairs or []}
    columns = tuple(_columns(schema or [], name))
    return Footer(columns, rows, len(groups or []), _codecs(groups or []), _text(found.get(6)), metadata)


def _columns(schema: list[dict[int, Any]], name: str) -> Iterator[Column]:
    """Yield the leaves of the schema, which is its tree in depth-first order."""
    open_: list[tuple[str, int]] = []
    for number, element in enumerate(schema):
        children = element.get(5, 0)
        if type(children) is not int or children < 0 or len(open_) > _NESTING:
            raise MalformedContent(f"{name}: the schema is no tree")
        # The root only says how the table is called.
        path = ".".join([*(part for part, _ in open_[1:]), _text(element.get(4))]) if number else ""
        if open_:
            open_[-1] = (open_[-1][0], open_[-1][1] - 1)
        if children:
            open_.append((_text(element.get(4)), children))
        elif number:
            yield Column(path, _type(element))
        while open_ and open_[-1][1] <= 0:
            open_.pop()


def _type(element: dict[int, Any]) -> str:
    logical = element.get(10)
    if isinstance(logical, dict) and logical:
        kind = next(iter(logical))
        if kind == 10 and isinstance(logical[10], dict):
            return f"{'int' if logical[10].get(2, True) else 'uint'}{logical[10].get(1, '')}"
        if kind in _LOGICAL:
            return _LOGICAL[kind]
    if element.get(6) in _CONVERTED:
        return _CONVERTED[element[6]]
    kind = element.get(1)
    return _PHYSICAL[kind] if type(kind) is int and 0 <= kind < len(_PHYSICAL) else "unknown"


def _codecs(groups: list[dict[int, Any]]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for group in groups[:16]:  # Writers take one codec for all of them.
        chunks = group.get(1) if _structures(group.get(1)) else []
        for chunk in chunks or []:
            codec = chunk[3].get(4) if isinstance(chunk.get(3), dict) else None
            if type(codec) is int and 0 <= codec < len(_CODECS):
                found.setdefault(_CODECS[codec])
    return tuple(found)


def _structures(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, dict) for one in value)


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""
