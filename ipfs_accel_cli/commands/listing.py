"""Parameters that every command with a list takes; `core/listing.py` does what they say."""

from __future__ import annotations

from typing import Annotated

from typer import Option

Filter = Annotated[
    str | None, Option("--filter", metavar="EXPRESSION", help="Show only what fits, as name~mini OR size<1GiB.")
]
Sort = Annotated[
    str | None, Option(metavar="FIELDS", help="Sort by these fields, descending after a minus: -size,name.")
]
Columns = Annotated[str | None, Option(metavar="FIELDS", help="The columns of the table.")]
