"""Which models a list shows, in which order, with which columns."""

from __future__ import annotations

from collections.abc import Sequence

from ipfs_accel_cli.core import fields, filters
from ipfs_accel_cli.services.model.results import ModelRow, Models

FIELDS = fields.with_entries(fields.of_result(ModelRow), "meta")


def chosen(rows: Sequence[ModelRow], text: str, *, where: str | None, sort: str | None, columns: str | None) -> Models:
    """Return the rows that hold a text and fit a filter; raises Invalid for a filter, key or column that is none."""
    condition = filters.parse(where, FIELDS) if where is not None else None
    kind = fields.chosen_columns(ModelRow, columns, FIELDS) if columns is not None else None
    found = [one for one in rows if _holds(one, text.lower())] if text else list(rows)
    if condition is not None:
        found = [one for one in found if condition.matches(one)]
    if sort is not None:
        found = fields.sort(found, sort, FIELDS)
    if kind is not None:
        found = [kind.model_construct(**dict(one)) for one in found]
    # They were checked when they were made.
    return Models.model_construct(models=found)


def _holds(one: ModelRow, text: str) -> bool:
    words = (one.name, one.licence or "", one.reference, *one.aliases, *one.tasks, *one.architectures)
    return any(text in word.lower() for word in words)
