"""Results as rows for other programs and for documents: CSV (RFC 4180) and tables in Markdown."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from ipfs_accel_cli.surfaces.cli.tables import cells


def rows_of(result: BaseModel) -> list[BaseModel]:
    """Return the rows of a result: those of the list that it holds, else the result itself."""
    lists = [value for _, value in result if isinstance(value, list) and value and isinstance(value[0], BaseModel)]
    return lists[0] if len(lists) == 1 else [result]


def write_csv(rows: Sequence[BaseModel]) -> None:
    """Write every field of the rows, what is nested under dotted names."""
    flat = [dict(_flat(row.model_dump(mode="json"), "")) for row in rows]
    names = list(dict.fromkeys(name for row in flat for name in row))
    writer = csv.DictWriter(sys.stdout, names, restval="", lineterminator="\n")
    if names:
        writer.writeheader()
    writer.writerows(flat)


def write_markdown(rows: Sequence[BaseModel]) -> None:
    """Write the columns that a table shows."""
    if not rows:
        return
    names, lines = cells(rows)
    for line in (names, ["---"] * len(names), *lines):
        sys.stdout.write("| " + " | ".join(_escaped(cell) for cell in line) + " |\n")


def _flat(value: Mapping[str, Any], before: str) -> Iterator[tuple[str, Any]]:
    for key, part in value.items():
        name = before + key
        if isinstance(part, dict):
            yield from _flat(part, f"{name}.")
        elif isinstance(part, list) and part and all(isinstance(one, dict) and "name" in one for one in part):
            for one in part:
                yield from _flat({inner: it for inner, it in one.items() if inner != "name"}, f"{name}.{one['name']}.")
        elif isinstance(part, list):
            yield name, json.dumps(part, ensure_ascii=False)
        else:
            yield name, "" if part is None else part


def _escaped(cell: str) -> str:
    return cell.replace("\\", "\\\\").replace("|", "\\|").replace("\n", "<br>")
