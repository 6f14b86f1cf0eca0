"""Which rows of a list are shown, in which order, with which columns: the same for every list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar, get_args, get_origin

from ipfs_accel_cli.core import fields, filters
from ipfs_accel_cli.core.fields import Field
from ipfs_accel_cli.core.results import Result

Listed = TypeVar("Listed", bound=Result)


def chosen(
    found: Listed,
    *,
    where: str | None = None,
    sort: str | None = None,
    columns: str | None = None,
    limit: int | None = None,
    known: Mapping[str, Field] | None = None,
) -> Listed:
    """Return a result whose one list of rows was filtered, sorted and cut off, in this order.

    `where` is a filter (`core/filters.py`), `sort` and `columns` name fields of the rows, `known` holds more fields
    than the rows' own. Columns change tables alone, never the JSON. Raises Invalid for what cannot be read.
    """
    name, kind = rows_of(type(found))
    known = fields.of_result(kind) if known is None else known
    condition = filters.parse(where, known) if where is not None else None
    shown = fields.chosen_columns(kind, columns, known) if columns is not None else None
    rows: list[Result] = getattr(found, name)
    if condition is not None:
        rows = [row for row in rows if condition.matches(row)]
    if sort is not None:
        rows = fields.sort(rows, sort, known)
    rows = rows[:limit]
    if shown is not None:
        # They were checked when they were made.
        rows = [shown.model_construct(**dict(row)) for row in rows]
    return found.model_copy(update={name: rows})


def rows_of(kind: type[Result]) -> tuple[str, type[Result]]:
    """Return the name of the one field of a result that lists rows, and their class."""
    lists = [
        (name, get_args(info.annotation)[0])
        for name, info in kind.model_fields.items()
        if get_origin(info.annotation) is list and issubclass(get_args(info.annotation)[0], Result)
    ]
    (found,) = lists
    return found
