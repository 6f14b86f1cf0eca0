"""The newest record of each name, kept in the database; a sequence is given out once."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime

from ipfs_accel_cli.content import ipns
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.ipns import Record
from ipfs_accel_cli.core.database import Database

_OWNER = "store-names"
_MIGRATIONS = (
    (
        "1-newest-records",
        "CREATE TABLE ipns_records (name BLOB PRIMARY KEY, record BLOB NOT NULL, kept_at TEXT NOT NULL) WITHOUT ROWID",
    ),
)


@dataclass(frozen=True, slots=True)
class Kept:
    """A record that is kept, with when it came."""

    name: CID
    record: Record
    kept_at: str


class Records:
    """Records by the name that signed them; whoever keeps one has verified it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, name: CID) -> Record | None:
        """Return the newest record that is known of a name."""
        rows = self._rows(" WHERE name = ?", bytes(name))
        return ipns.decode(rows[0]["record"]) if rows else None

    def all(self) -> list[Kept]:
        """Return every record, oldest first."""
        return [
            Kept(CID.parse(row["name"]), ipns.decode(row["record"]), row["kept_at"])
            for row in self._rows(" ORDER BY kept_at, name")
        ]

    def keep(self, name: CID, record: Record) -> Record:
        """Keep a verified record unless a better one is here; return the one that is kept."""
        with self._writing() as connection:
            known = _known(connection, name)
            if known is not None and ipns.better(known, record) is known:
                return known
            _put(connection, name, record)
        return record

    def sign(self, name: CID, make: Callable[[int], Record]) -> Record:
        """Keep a record that `make` signs with the sequence it is given: one more than any that is known.

        Nobody else is given a sequence meanwhile, and it is durable before the record leaves this function.
        """
        with self._writing() as connection:
            known = _known(connection, name)
            record = make(0 if known is None else known.sequence + 1)
            _put(connection, name, record)
        return record

    def _writing(self) -> AbstractContextManager[sqlite3.Connection]:
        self._database.home.ensure()
        self._database.migrate(_OWNER, _MIGRATIONS)
        return self._database.write()

    def _rows(self, condition: str, *values: object) -> list[sqlite3.Row]:
        if not self._database.home.state_file.exists():
            return []
        return self._database.rows(f"SELECT name, record, kept_at FROM ipns_records{condition}", values)  # noqa: S608


def _known(connection: sqlite3.Connection, name: CID) -> Record | None:
    row = connection.execute("SELECT record FROM ipns_records WHERE name = ?", (bytes(name),)).fetchone()
    return None if row is None else ipns.decode(row["record"])


def _put(connection: sqlite3.Connection, name: CID, record: Record) -> None:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    connection.execute("INSERT OR REPLACE INTO ipns_records VALUES (?, ?, ?)", (bytes(name), record.encoded, now))
