"""What steps gave, by what decides it: tables that point into the content store."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from ipfs_accel_cli.core.database import Database

OWNER = "infer-pipeline"
MIGRATIONS = (
    (
        "1-steps",
        """
        CREATE TABLE pipeline_steps (
            key TEXT PRIMARY KEY, value TEXT NOT NULL, files TEXT NOT NULL, at TEXT NOT NULL
        ) WITHOUT ROWID;
        """,
    ),
)


@dataclass(frozen=True, slots=True)
class Given:
    """The answer of a step, and the files that it wrote by parameter, as CIDs."""

    value: str
    files: Mapping[str, str]


class Kept:
    """Reading and writing them; a table that does not exist yet is made by the first writer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, key: str) -> Given | None:
        """Return what a step gave before."""
        rows = self._database.rows("SELECT * FROM pipeline_steps WHERE key = ?", (key,))
        return Given(rows[0]["value"], json.loads(rows[0]["files"])) if rows else None

    def ready(self) -> None:
        """Make the table where there is none."""
        self._database.migrate(OWNER, MIGRATIONS)

    def keep(self, connection: sqlite3.Connection, key: str, given: Given) -> None:
        """Keep what a step gave, in the transaction that stores it."""
        at = datetime.now(UTC).isoformat(timespec="seconds")
        row = (key, given.value, json.dumps(dict(given.files)), at)
        connection.execute("INSERT OR REPLACE INTO pipeline_steps VALUES (?, ?, ?, ?)", row)
