"""Which models a list shows, in which order, with which columns."""

from __future__ import annotations

from collections.abc import Sequence

from ipfs_accel_cli.core import fields, listing
from ipfs_accel_cli.services.model.results import ModelRow, Models

FIELDS = fields.with_entries(fields.of_result(ModelRow), "meta")


def chosen(rows: Sequence[ModelRow], text: str, *, where: str | None, sort: str | None, columns: str | None) -> Models:
    """Return the rows that hold a text and fit a filter; raises Invalid for a filter, key or column that is none."""
    found = [one for one in rows if _holds(one, text.lower())] if text else list(rows)
    # They were checked when they were made.
    models = Models.model_construct(models=found)
    return listing.chosen(models, where=where, sort=sort, columns=columns, known=FIELDS)


def _holds(one: ModelRow, text: str) -> bool:
    words = (one.name, one.licence or "", one.reference, *one.aliases, *one.tasks, *one.architectures)
    return any(text in word.lower() for word in words)
