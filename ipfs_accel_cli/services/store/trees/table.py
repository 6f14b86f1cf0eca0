"""The entries of all trees of a home."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.database import Database

_OWNER = "trees"
_MIGRATIONS = (
    (
        "1-tree-entries",
        """
    CREATE TABLE tree_entries (
        path TEXT PRIMARY KEY,
        cid BLOB,
        size_bytes INTEGER NOT NULL,
        made_at TEXT NOT NULL,
        modified_at TEXT NOT NULL
    ) WITHOUT ROWID;
    """,
    ),
)
# What follows "/" in the order of texts: so all paths below a folder are one stretch of the key.
_AFTER_SLASH = "0"


@dataclass(frozen=True, slots=True)
class Row:
    """A file, or a folder that was made, which has no CID; `path` begins with the name of its tree."""

    path: str
    cid: CID | None
    size_bytes: int
    made_at: datetime
    modified_at: datetime


class Table:
    """Reads and writes entries by their path."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def get(self, path: str) -> Row | None:
        """Return the entry at a path."""
        rows = self.database.rows("SELECT * FROM tree_entries WHERE path = ?", (path,))
        return _row(rows[0]) if rows else None

    def below(self, path: str) -> list[Row]:
        """Return all entries below a path, in order; all of all trees for an empty one."""
        if not path:
            return [_row(row) for row in self.database.rows("SELECT * FROM tree_entries ORDER BY path")]
        query = "SELECT * FROM tree_entries WHERE path > ? AND path < ? ORDER BY path"
        return [_row(row) for row in self.database.rows(query, (f"{path}/", f"{path}{_AFTER_SLASH}"))]

    def has_below(self, path: str) -> bool:
        """Say whether anything is below a path."""
        query = "SELECT 1 FROM tree_entries WHERE path > ? AND path < ? LIMIT 1"
        return bool(self.database.rows(query, (f"{path}/", f"{path}{_AFTER_SLASH}")))

    def ready(self) -> None:
        """Make the table where it is missing."""
        self.database.migrate(_OWNER, _MIGRATIONS)

    def put(self, connection: sqlite3.Connection, path: str, cid: CID | None, size_bytes: int) -> None:
        """Let a path be a file or a folder, inside the caller's transaction."""
        now = datetime.now(UTC).isoformat()
        connection.execute(
            "INSERT INTO tree_entries VALUES (?, ?, ?, ?, ?) ON CONFLICT (path) DO UPDATE SET"
            " cid = excluded.cid, size_bytes = excluded.size_bytes, modified_at = excluded.modified_at",
            (path, None if cid is None else bytes(cid), size_bytes, now, now),
        )

    def drop(self, connection: sqlite3.Connection, path: str) -> None:
        """Let a path be nothing, inside the caller's transaction."""
        connection.execute("DELETE FROM tree_entries WHERE path = ?", (path,))


def _row(row: sqlite3.Row) -> Row:
    return Row(
        row["path"],
        None if row["cid"] is None else CID.parse(row["cid"]),
        row["size_bytes"],
        datetime.fromisoformat(row["made_at"]),
        datetime.fromisoformat(row["modified_at"]),
    )
