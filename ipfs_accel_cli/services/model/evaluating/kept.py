"""The runs of one home: who was asked what and how, every answer, and what the metrics made of them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ipfs_accel_cli.core.database import Database

OWNER = "model-eval"
MIGRATIONS = (
    (
        "runs-answers-figures",
        """
        CREATE TABLE eval_runs (
            id INTEGER PRIMARY KEY, manifest TEXT NOT NULL REFERENCES models ON DELETE CASCADE,
            machine TEXT NOT NULL, engine TEXT NOT NULL, device TEXT NOT NULL, dtype TEXT NOT NULL,
            set_cid TEXT NOT NULL, task TEXT NOT NULL, way TEXT NOT NULL, versions TEXT NOT NULL,
            UNIQUE (manifest, machine, engine, device, dtype, set_cid, task, way, versions)
        );
        CREATE TABLE eval_answers (
            run INTEGER NOT NULL REFERENCES eval_runs ON DELETE CASCADE, item TEXT NOT NULL, body TEXT NOT NULL,
            PRIMARY KEY (run, item)
        ) WITHOUT ROWID;
        CREATE TABLE eval_figures (
            run INTEGER NOT NULL REFERENCES eval_runs ON DELETE CASCADE, metric TEXT NOT NULL, at TEXT NOT NULL,
            value REAL NOT NULL, items INTEGER NOT NULL, statement TEXT NOT NULL, PRIMARY KEY (run, metric, at)
        ) WITHOUT ROWID;
        """,
    ),
)


@dataclass(frozen=True, slots=True)
class Run:
    """What tells one run from another: all that may change an answer. `way` and `versions` are sorted JSON."""

    manifest: str
    machine: str
    engine: str
    device: str
    dtype: str
    set_cid: str
    task: str
    way: str
    versions: str


@dataclass(frozen=True, slots=True)
class Figure:
    """What a metric made of a run's answers at some time."""

    run: Run
    number: int
    metric: str
    at: str
    value: float
    items: int
    statement: str


class Kept:
    """Reading and writing them. A table that is not there yet is made by the first writer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, run: Run, *, again: bool) -> int:
        """Return the number of a run, new or begun before; with `again` its answers of before are forgotten."""
        self._database.migrate(OWNER, MIGRATIONS)
        values = _values(run)
        with self._database.write() as connection:
            connection.execute(_BEGIN, values)
            number = int(connection.execute(_FIND, values).fetchone()[0])
            if again:
                connection.execute("DELETE FROM eval_answers WHERE run = ?", (number,))
        return number

    def answers(self, number: int) -> dict[str, Any]:
        """Return the answers of a run by the ids of the items."""
        rows = self._database.rows("SELECT item, body FROM eval_answers WHERE run = ?", (number,))
        return {row["item"]: json.loads(row["body"]) for row in rows}

    def add(self, number: int, answers: Sequence[tuple[str, Any]]) -> None:
        """Keep some answers, at once and for good."""
        rows = [(number, item, json.dumps(answer, ensure_ascii=False)) for item, answer in answers]
        with self._database.write() as connection:
            connection.executemany("INSERT OR REPLACE INTO eval_answers VALUES (?, ?, ?)", rows)

    def figures(self, manifest: str | None = None) -> list[Figure]:
        """Return what was measured of a model, or of all, the newest first."""
        rows = self._database.rows(
            "SELECT * FROM eval_figures JOIN eval_runs ON run = id WHERE ? IS NULL OR manifest = ?"
            " ORDER BY at DESC, run DESC, metric",
            (manifest, manifest),
        )
        return [_figure(row) for row in rows]

    def statements(self, manifest: str) -> set[str]:
        """Return the CIDs of the statements about a model that were made here."""
        return {one.statement for one in self.figures(manifest)}


def add_figures(
    connection: sqlite3.Connection, number: int, values: dict[str, float], items: int, at: str, statement: str
) -> None:
    """Keep what the metrics made of a run, inside the transaction that keeps the statement about it."""
    rows = [(number, metric, at, value, items, statement) for metric, value in values.items()]
    connection.executemany("INSERT OR REPLACE INTO eval_figures VALUES (?, ?, ?, ?, ?, ?)", rows)


def now() -> str:
    """Return the present time as ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


_NAMES = ("manifest", "machine", "engine", "device", "dtype", "set_cid", "task", "way", "versions")
_BEGIN = (
    "INSERT OR IGNORE INTO eval_runs (manifest, machine, engine, device, dtype, set_cid, task, way, versions)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_FIND = (
    "SELECT id FROM eval_runs WHERE (manifest, machine, engine, device, dtype, set_cid, task, way, versions)"
    " = (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


def _values(run: Run) -> tuple[str, ...]:
    return tuple(getattr(run, name) for name in _NAMES)


def _figure(row: sqlite3.Row) -> Figure:
    run = Run(**{name: row[name] for name in _NAMES})
    return Figure(run, row["run"], row["metric"], row["at"], row["value"], row["items"], row["statement"])
