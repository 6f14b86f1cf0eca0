"""All that was ever measured of a model and is kept, whatever the kind: for those who look back."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.services.hw.fit import headers
from ipfs_accel_cli.services.hw.fit.measurements import identity
from ipfs_accel_cli.services.hw.results import Machine

# What a row is about; every other column that holds a number is a figure.
_ABOUT = {"machine", "model", "engine", "device", "dtype", "unit", "context", "batch", "measured_at"}
_NEEDED = {"machine", "model", "measured_at"}


@dataclass(frozen=True, slots=True)
class Past:
    """One figure: `name` says what it is and in which unit, such as `tokens_s` or `increment_bytes`."""

    machine: str
    here: bool
    engine: str
    device: str
    dtype: str
    name: str
    value: float
    context: int | None
    batch: int | None
    measured_at: str


def past(database: Database, host: Callable[[], Machine], folder: Path) -> list[Past]:
    """Return what the tables of this service hold of the model in a folder; nothing where nothing was measured."""
    tables = [name for name in _tables(database) if _columns(database, name) >= _NEEDED]
    if not tables:
        return []
    model = headers.describe(str(folder), lambda _: folder).identity
    here = identity(host())
    found = [one for table in tables for one in _rows(database, table, model, here)]
    # A speed that was carried over from one table to another is one figure all the same.
    return list(dict.fromkeys(found))


def _tables(database: Database) -> list[str]:
    rows = database.read().execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'fit\\_%' ESCAPE '\\'"
    )
    return sorted(row["name"] for row in rows)


def _columns(database: Database, table: str) -> set[str]:
    return {row["name"] for row in database.read().execute("SELECT name FROM pragma_table_info(?)", (table,))}


def _rows(database: Database, table: str, model: str, here: str) -> Iterator[Past]:
    rows = database.read().execute(f'SELECT * FROM "{table}" WHERE model = ?', (model,)).fetchall()  # noqa: S608
    for row in rows:
        about = {name: row[name] for name in row.keys() if name in _ABOUT}  # noqa: SIM118
        for name in row.keys():  # noqa: SIM118
            if name not in _ABOUT and isinstance(row[name], int | float):
                yield _figure(about, name, row, here)


def _figure(about: dict[str, object], name: str, row: sqlite3.Row, here: str) -> Past:
    unit = str(about.get("unit") or "")
    return Past(
        machine=str(row["machine"]),
        here=row["machine"] == here,
        engine=str(about.get("engine") or "torch"),
        device=str(about.get("device") or "cpu"),
        dtype=str(about.get("dtype") or ""),
        name=unit.replace("/", "_") if unit and name == "value" else name,
        value=float(row[name]),
        context=row["context"] if "context" in about else None,
        batch=row["batch"] if "batch" in about else None,
        measured_at=str(row["measured_at"]),
    )
