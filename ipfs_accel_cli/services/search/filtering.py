"""The shared filter grammar over documents, as SQL that goes by indexes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from ipfs_accel_cli.core import filters
from ipfs_accel_cli.core.fields import Field, Kind
from ipfs_accel_cli.core.filters import Comparison, Joined, Node, Not
from ipfs_accel_cli.services.search.index import Index

_COLUMNS = {
    "cid": Field("cid", Kind.TEXT),
    "kind": Field("kind", Kind.TEXT),
    "title": Field("title", Kind.TEXT),
    "size_bytes": Field("size_bytes", Kind.SIZE),
    "added_at": Field("added_at", Kind.TIME),
    "problem": Field("problem", Kind.TEXT),
}
_MEMBERS = {"path": Field("path", Kind.TEXT, many=True), "root": Field("root", Kind.TEXT, many=True)}
_SHORTER = {"type": "kind", "size": "size_bytes", "added": "added_at", "name": "title"}
# What may be asked for before anything has it.
_USUAL = ("tag", "task", "architecture", "licence", "media_type", "language")
_LONGER = {"tasks": "task", "architectures": "architecture", "license": "licence", "tags": "tag"}


@dataclass(frozen=True, slots=True)
class Condition:
    """A part of a WHERE clause over `documents`, and the values of its marks."""

    sql: str
    values: tuple[object, ...] = ()

    def __and__(self, other: Condition) -> Condition:
        return Condition(f"({self.sql}) AND ({other.sql})", self.values + other.values)


ALL = Condition("1")


def fields(index: Index) -> Mapping[str, Field]:
    """Return what can be asked of documents: their columns, and every fact that one of them has."""
    found: dict[str, Field] = {**_COLUMNS, **_MEMBERS}
    query = """
        WITH RECURSIVE named(name) AS (
            SELECT min(name) FROM facts
            UNION ALL SELECT (SELECT min(name) FROM facts WHERE name > named.name) FROM named WHERE name IS NOT NULL
        )
        SELECT name, EXISTS (SELECT 1 FROM facts f WHERE f.name = named.name AND number IS NOT NULL) AS numeric
        FROM named WHERE name IS NOT NULL
    """
    for row in index.rows(query):
        name, kind = row["name"], Kind.TEXT
        if row["numeric"]:
            kind = Kind.SIZE if name.endswith("_bytes") else Kind.NUMBER
        found.setdefault(name, Field(name, kind, many=True))
    for name in _USUAL:
        found.setdefault(name, Field(name, Kind.TEXT, many=True))
    for name, field in list(found.items()):
        for ending in ("_bytes", "s"):
            if name.endswith(ending):
                found.setdefault(name.removesuffix(ending), field)
    for longer, name in _LONGER.items():
        found.setdefault(longer, found[name])
    return found | {short: found[name] for short, name in _SHORTER.items() if short not in found}


def parse(text: str, known: Mapping[str, Field]) -> Node:
    """Read a filter over documents; raises Invalid, which tells the place in the text."""
    return filters.parse(text, known)


def equal(field: Field, name: str, text: str) -> Comparison:
    """Return the filter that wants a field to be a text."""
    return Comparison(name, field, "=", text, text)


def compiled(node: Node) -> Condition:
    """Return a filter as SQL over `documents`; what it finds is what `node.matches` says of each."""
    if isinstance(node, Comparison):
        return _comparison(node)
    if isinstance(node, Not):
        inner = compiled(node.part)
        return Condition(f"NOT ({inner.sql})", inner.values)
    return _joined(node)


def _joined(node: Joined) -> Condition:
    parts = [compiled(part) for part in node.parts]
    sql = f" {node.word} ".join(f"({part.sql})" for part in parts)
    return Condition(sql, tuple(value for part in parts for value in part.values))


def _comparison(one: Comparison) -> Condition:
    if one.operator in ("!=", "!~"):
        same = _comparison(Comparison(one.name, one.field, one.operator[1], one.text, one.value))
        return Condition(f"NOT ({same.sql})", same.values)
    attribute = one.field.attribute
    if attribute in _MEMBERS:
        return _of_member(one)
    return _of_column(one) if attribute in _COLUMNS else _of_fact(one)


def _of_column(one: Comparison) -> Condition:
    name = f"documents.{one.field.attribute}"
    if one.value is None:
        return Condition(f"coalesce({name}, '') = ''")
    if one.operator == "~":
        return Condition(f"instr(fold(coalesce({name}, '')), ?) > 0", (one.text.lower(),))
    if one.field.kind is Kind.TIME:
        return _of_time(name, one)
    if one.field.kind is Kind.TEXT:
        # Kinds and CIDs of version 1 are spelled in one way only, and have indexes.
        exact = name if one.field.attribute == "kind" else f"fold({name})"
        return (
            Condition(f"coalesce({exact} = ?, 0)", (one.text.lower(),))
            if exact != name
            else Condition(f"{name} = ?", (one.text.lower(),))
        )
    return Condition(f"{name} {one.operator} ?", (one.value,))


def _of_time(name: str, one: Comparison) -> Condition:
    if isinstance(one.value, datetime):
        return Condition(f"{name} {one.operator} ?", (_written(one.value),))
    assert isinstance(one.value, date)
    day = one.value.isoformat()
    following = (one.value + timedelta(days=1)).isoformat() if one.value < date.max else "9999-12-32"
    bounds: dict[str, Callable[[], Condition]] = {
        "=": lambda: Condition(f"{name} >= ? AND {name} < ?", (day, following)),
        "<": lambda: Condition(f"{name} < ?", (day,)),
        "<=": lambda: Condition(f"{name} < ?", (following,)),
        ">": lambda: Condition(f"{name} >= ?", (following,)),
        ">=": lambda: Condition(f"{name} >= ?", (day,)),
    }
    return bounds[one.operator]()


def _of_member(one: Comparison) -> Condition:
    attribute = one.field.attribute
    if one.value is None:
        return Condition("documents.id NOT IN (SELECT document FROM members)")
    if one.operator == "~":
        where, value = f"instr(fold({attribute}), ?) > 0", one.text.lower()
    elif attribute == "root":
        where, value = "root = ?", one.text
    else:
        where, value = "fold(path) = ?", one.text.lower()
    return Condition(f"documents.id IN (SELECT document FROM members WHERE {where})", (value,))


def _of_fact(one: Comparison) -> Condition:
    name = one.field.attribute
    if one.value is None:
        return Condition("documents.id NOT IN (SELECT document FROM facts WHERE name = ?)", (name,))
    if one.operator == "~":
        where, value = "instr(key, ?) > 0", one.text.lower()
    elif one.field.kind is Kind.TEXT:
        where, value = "key = ?", one.text.lower()
    else:
        where, value = f"number {one.operator} ?", one.value  # type: ignore[assignment]
    return Condition(f"documents.id IN (SELECT document FROM facts WHERE name = ? AND {where})", (name, value))


def _written(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
