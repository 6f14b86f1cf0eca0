"""The ledger: what was read again when, so that what is longest unread comes first."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from ipfs_accel_cli.core.database import Database

_OWNER = "ledger"
_MIGRATIONS = (
    (
        "1-ledger",
        """
    CREATE TABLE ledger (
        sha256 BLOB PRIMARY KEY,
        verified_at TEXT NOT NULL,
        damaged INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX ledger_by_age ON ledger (verified_at);
    CREATE TABLE ledger_cursor (name TEXT PRIMARY KEY, position BLOB NOT NULL);
    """,
    ),
)
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Due:
    """A whole file that is to be read again; `verified_at` is empty for one that never was."""

    sha256: bytes
    size_bytes: int
    verified_at: str


class Ledger:
    """When each whole file of one home was last read from disk and compared; `clock` says what time it is."""

    def __init__(self, database: Database, clock: Clock = lambda: datetime.now(UTC)) -> None:
        self._database = database
        self._clock = clock

    def now(self) -> str:
        """Return the time as the ledger writes it."""
        return self._clock().isoformat(timespec="seconds")

    def due(self, before: str) -> list[Due]:
        """Return the whole files that were not read since, oldest first, those that never were before all."""
        self._made()
        rows = self._database.rows(
            "SELECT objects.sha256, objects.size_bytes, coalesce(ledger.verified_at, '') AS verified_at FROM objects"
            " LEFT JOIN ledger ON ledger.sha256 = objects.sha256"
            " WHERE coalesce(ledger.verified_at, '') < ? ORDER BY verified_at, objects.sha256",
            (before,),
        )
        return [Due(row["sha256"], row["size_bytes"], row["verified_at"]) for row in rows]

    def oldest(self) -> str | None:
        """Return when what is longest unread was last read; None where something never was, or nothing is here."""
        rows = self._database.rows(
            "SELECT min(coalesce(ledger.verified_at, '')) AS oldest FROM objects"
            " LEFT JOIN ledger ON ledger.sha256 = objects.sha256"
        )
        return (rows[0]["oldest"] or None) if rows else None

    def note(self, sha256: bytes, *, damaged: bool) -> None:
        """Write down that a file was read just now, and mark it where it is damaged, so that nothing trusts it."""
        self._made()
        with self._database.write() as connection:
            connection.execute("INSERT OR REPLACE INTO ledger VALUES (?, ?, ?)", (sha256, self.now(), damaged))
            connection.execute("UPDATE objects SET damaged = ? WHERE sha256 = ?", (damaged, sha256))

    def position(self, name: str) -> bytes:
        """Return how far a round over something that has no entries of its own has come."""
        rows = self._database.rows("SELECT position FROM ledger_cursor WHERE name = ?", (name,))
        return bytes(rows[0]["position"]) if rows else b""

    def move(self, name: str, position: bytes) -> None:
        """Write down how far it has come."""
        self._made()
        with self._database.write() as connection:
            connection.execute("INSERT OR REPLACE INTO ledger_cursor VALUES (?, ?)", (name, position))

    def forget_gone(self, connection: sqlite3.Connection) -> None:
        """Let go of files that the store does not have any more."""
        connection.execute("DELETE FROM ledger WHERE sha256 NOT IN (SELECT sha256 FROM objects)")

    def _made(self) -> None:
        self._database.migrate(_OWNER, _MIGRATIONS)
