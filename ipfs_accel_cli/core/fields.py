"""The fields of a result as filters and sorting see them: their kinds, their shorter names, their values."""

from __future__ import annotations

import difflib
import json
import re
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.core.units import parse_bytes

Value = str | int | float | bool | datetime | date | None
_POWERS = {"": 1, "k": 10**3, "m": 10**6, "b": 10**9, "g": 10**9, "t": 10**12}
_NUMBER = re.compile(r"([+-]?\d{1,30}(?:\.\d{1,30})?)([kmbgt]?)", re.IGNORECASE)


class Kind(StrEnum):
    """How values of a field are written and compared."""

    TEXT = "text"
    NUMBER = "number"
    SIZE = "size"
    TIME = "time"
    FLAG = "flag"


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a row: `attribute` holds its value, or several of them."""

    attribute: str
    kind: Kind
    many: bool = False

    @property
    def ordered(self) -> bool:
        """Say whether `<` means something."""
        return self.kind in (Kind.NUMBER, Kind.SIZE, Kind.TIME)

    def of(self, row: object) -> list[Value]:
        """Return the values that a row has here: one, or those of the list; nothing known is one None."""
        value: Any = getattr(row, self.attribute)
        if self.many:
            return list(value) or [None]
        if self.kind is Kind.TIME and isinstance(value, str) and value:
            return [_moment(value)]
        return [None if value == "" else value]

    def compare(self, found: Value, operator: str, wanted: Value) -> bool:
        """Compare a value of a row with one that was read; nothing known equals only itself."""
        if found is None or wanted is None:
            return operator == "=" and found is wanted
        if isinstance(found, datetime) and not isinstance(wanted, datetime):
            found = found.date()
        if isinstance(found, str) and isinstance(wanted, str):
            found, wanted = found.lower(), wanted.lower()
        left: Any = found
        return bool(left == wanted) if operator == "=" else _in_order(left, operator, wanted)


@dataclass(frozen=True, slots=True)
class Entry(Field):
    """One entry of a field that maps keys to texts, written as `meta.stage`."""

    key: str = ""

    def of(self, row: object) -> list[Value]:
        """Return the entry of a row, or None where the row has none."""
        return [self.first(row)]

    def first(self, row: object) -> Value:
        """Return the entry alone; one that is no text is written as JSON."""
        found: Any = getattr(row, self.attribute).get(self.key)
        return found if found is None or isinstance(found, str) else json.dumps(found, ensure_ascii=False)


class _WithEntries(dict[str, Field]):
    """Fields of fixed names, and one for every key that somebody asks for of a field with entries."""

    attribute = ""

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or (isinstance(name, str) and name.startswith(f"{self.attribute}."))

    def __missing__(self, name: str) -> Field:
        if name not in self:
            raise KeyError(name)
        return Entry(self.attribute, Kind.TEXT, key=name.removeprefix(f"{self.attribute}."))

    def get(self, name: str, default: Any = None) -> Any:
        try:
            return self[name]
        except KeyError:
            return default


def with_entries(fields: Mapping[str, Field], attribute: str) -> Mapping[str, Field]:
    """Return the fields and those of the entries of another, whatever their keys: `meta.stage`."""
    found = _WithEntries(fields)
    found.attribute = attribute
    return found


def of_result(kind: type[BaseModel]) -> Mapping[str, Field]:
    """Return the fields of a result by name, and by the shorter names: `size` for `size_bytes`, `task` for `tasks`."""
    found: dict[str, Field] = {}
    for name, info in kind.model_fields.items():
        field = _field(name, info.annotation)
        if field is not None:
            found[name] = field
    shorter = {_shorter(name, field): field for name, field in found.items()}
    return {**{name: field for name, field in shorter.items() if name not in found}, **found}


def read(kind: Kind, text: str) -> Value:
    """Read a value as users write it, such as 1GiB, 7B, 2026-01-31 or yes; raises Invalid."""
    if kind is Kind.SIZE:
        try:
            return parse_bytes(text)
        except OverflowError as error:
            raise Invalid(f"{text[:20]!r}… is larger than any size") from error
    if kind is Kind.NUMBER:
        return _number(text)
    if kind is Kind.TIME:
        return _time(text)
    if kind is Kind.FLAG:
        known = {"true": True, "yes": True, "false": False, "no": False}
        if text.lower() not in known:
            raise Invalid(f"{text!r} is neither yes nor no")
        return known[text.lower()]
    return text


def sort(rows: Iterable[Any], keys: str, fields: Mapping[str, Field]) -> list[Any]:
    """Sort rows by fields such as `size,-created`, descending after a minus; what is not known comes last.

    Raises Invalid for a field that is not there.
    """
    found = list(rows)
    for key in reversed([key.strip() for key in keys.split(",") if key.strip()]):
        name = key.lstrip("-").lower()
        if name not in fields:
            told, near = not_there("field", name, fields, " to sort by")
            raise Invalid(told, near=near)
        field = fields[name]
        known = [row for row in found if field.of(row)[0] is not None]
        unknown = [row for row in found if field.of(row)[0] is None]
        known.sort(key=lambda row: _sortable(field.of(row)), reverse=key.startswith("-"))
        found = known + unknown
    return found


def chosen_columns(kind: type[Any], names: str, fields: Mapping[str, Field]) -> type[Any]:
    """Return the result class with these columns in tables, its JSON unchanged; raises Invalid for an unknown name."""
    wanted = [name.strip().lower() for name in names.split(",") if name.strip()]
    missing = [name for name in wanted if name not in fields]
    if missing:
        told, near = not_there("column", missing[0], fields)
        raise Invalid(told, near=near)
    if not wanted:
        raise Invalid(f"no column is named; there are: {', '.join(sorted(fields))}")
    columns = tuple(dict.fromkeys(_column(fields[name]) for name in wanted))
    # An entry of a mapping is a column of its own, under its whole name.
    entries = {_column(field): property(field.first) for field in map(fields.get, wanted) if isinstance(field, Entry)}
    body = {"columns": columns, "__module__": kind.__module__, "__doc__": kind.__doc__, **entries}
    return type(kind.__name__, (kind,), body)


def _column(field: Field) -> str:
    return f"{field.attribute}.{field.key}" if isinstance(field, Entry) else field.attribute


def not_there(what: str, name: str, fields: Mapping[str, Field], use: str = "") -> tuple[str, list[str]]:
    """Say that a field is not there and which are, with the names that are spelled alike."""
    near = difflib.get_close_matches(name, sorted(fields), n=3, cutoff=0.5)
    meant = f"; did you mean {near[0]!r}? There are: " if near else "; there are: "
    return f"there is no {what} {name!r}{use}{meant}{', '.join(sorted(fields))}", near


def _field(name: str, annotation: Any) -> Field | None:
    if get_origin(annotation) in (Union, types.UnionType):
        options = [option for option in get_args(annotation) if option is not type(None)]
        if set(options) == {int, float}:
            return _field(name, float)
        return _field(name, options[0]) if len(options) == 1 else None
    if get_origin(annotation) is dict:
        return None
    if get_origin(annotation) is list:
        return Field(name, Kind.TEXT, many=True) if get_args(annotation) == (str,) else None
    if annotation is bool:
        return Field(name, Kind.FLAG)
    if annotation in (int, float):
        return Field(name, Kind.SIZE if name.endswith("_bytes") else Kind.NUMBER)
    if annotation is str or get_origin(annotation) is not None:
        return Field(name, Kind.TIME if name == "at" or name.endswith("_at") else Kind.TEXT)
    return None


def _shorter(name: str, field: Field) -> str:
    if field.many:
        return re.sub(r"(?<=[a-z])(?:(?<=s)es|s)$", "", name)
    return name.removesuffix("_bytes").removesuffix("_at")


def _number(text: str) -> float | int:
    match = _NUMBER.fullmatch(text.strip())
    if match is None:
        raise Invalid(f"{text!r} is not a number; write for example 12, 22.7M or 7B")
    power = _POWERS[match[2].lower()]
    return float(match[1]) * power if "." in match[1] else int(match[1]) * power


def _time(text: str) -> datetime | date:
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            return date.fromisoformat(text)
        return _moment(text)
    except ValueError as error:
        raise Invalid(f"{text!r} is not a time; write for example 2026-01-31 or 2026-01-31T12:00:00Z") from error


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _in_order(left: Any, operator: str, right: Any) -> bool:
    if operator in ("<", "<="):
        return bool(left < right or (operator == "<=" and left == right))
    return bool(left > right or (operator == ">=" and left == right))


def _sortable(values: list[Value]) -> Any:
    return tuple(value.lower() if isinstance(value, str) else value for value in values)
