"""References: which content lies at which backend, and when and how that was last proven."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Literal

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.database import Database

_COLUMNS = ("backend", "locator", "whole_dag", "size_bytes", "sha256")

How = Literal["checksum", "cid", "reread"]
HERE = "here"  # This store, where places are named; no backend is called so.
_OWNER = "copies"
_MIGRATIONS = (
    (
        "1-copies",
        """
    CREATE TABLE copies (
        cid BLOB NOT NULL,
        backend TEXT NOT NULL,
        locator TEXT NOT NULL,
        whole_dag INTEGER NOT NULL,
        size_bytes INTEGER NOT NULL,
        sha256 BLOB,
        verified_at TEXT NOT NULL,
        how TEXT NOT NULL,
        PRIMARY KEY (cid, backend, locator)
    ) WITHOUT ROWID;
    CREATE INDEX copies_at_backend ON copies (backend, locator);
    CREATE INDEX copies_by_sha256 ON copies (sha256);
    """,
    ),
)


@dataclass(frozen=True, slots=True)
class Known:
    """A copy of a DAG (`whole_dag`: by its root) or of a whole file at a backend."""

    cid: CID
    backend: str
    locator: str
    whole_dag: bool
    size_bytes: int
    sha256: bytes | None
    how: How
    verified_at: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """What is known to lie at a backend: DAGs, and the bytes of their files, or of their blocks."""

    copies: int
    size_bytes: int


class Copies:
    """The references of one home; `changed` is called after they have changed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.changed: Callable[[], None] = lambda: None

    def note(self, copies: Iterable[Known]) -> None:
        """Keep that copies were proven just now."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self._database.migrate(_OWNER, _MIGRATIONS)
        with self._database.write() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO copies VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [(bytes(one.cid.to_v1()), *map(partial(getattr, one), _COLUMNS), now, one.how) for one in copies],
            )
        self.changed()

    def of(self, cid: CID, backend: str | None = None) -> list[Known]:
        """Return the copies of some content, those proven last first."""
        rows = self._database.rows(
            "SELECT * FROM copies WHERE cid = ? AND backend = coalesce(?, backend) ORDER BY verified_at DESC",
            (bytes(cid.to_v1()), backend),
        )
        return [_known(row) for row in rows]

    def of_file(self, cid: CID, sha256: bytes) -> list[Known]:
        """Return the copies of a whole file, also those known under another CID of the same bytes."""
        rows = self._database.rows(
            "SELECT * FROM copies WHERE NOT whole_dag AND (cid = ? OR sha256 = ?) ORDER BY verified_at DESC",
            (bytes(cid.to_v1()), sha256),
        )
        return [_known(row) for row in rows]

    def oldest_at(self, backend: str) -> list[Known]:
        """Return the DAGs at a backend, those proven longest ago first."""
        rows = self._database.rows(
            "SELECT * FROM copies WHERE backend = ? AND whole_dag ORDER BY verified_at, cid", (backend,)
        )
        return [_known(row) for row in rows]

    def at(self, backend: str, locator: str) -> Known | None:
        """Return what lies under a locator; None where that is not known."""
        rows = self._database.rows("SELECT * FROM copies WHERE backend = ? AND locator = ?", (backend, locator))
        return _known(rows[0]) if rows else None

    def forget(self, backend: str, locators: Iterable[str]) -> None:
        """Let go of copies that are not there any more."""
        self._database.migrate(_OWNER, _MIGRATIONS)
        with self._database.write() as connection:
            connection.executemany(
                "DELETE FROM copies WHERE backend = ? AND locator = ?", [(backend, locator) for locator in locators]
            )
        self.changed()

    def forget_all(self, backend: str) -> int:
        """Let go of all copies at a backend; return how many there were."""
        if not self._database.rows("SELECT 1 FROM copies WHERE backend = ? LIMIT 1", (backend,)):
            return 0
        with self._database.write() as connection:
            gone = connection.execute("DELETE FROM copies WHERE backend = ?", (backend,)).rowcount
        self.changed()
        return gone

    def held(self) -> dict[str, Held]:
        """Return what is known to lie at each backend; a file under several CIDs lies there once."""
        rows = self._database.rows(
            "SELECT backend, count(DISTINCT CASE WHEN whole_dag THEN cid END) AS dags,"
            " sum(CASE WHEN whole_dag THEN most END) AS dag_bytes,"
            " sum(CASE WHEN NOT whole_dag THEN most END) AS file_bytes FROM"
            " (SELECT backend, locator, whole_dag, cid, max(size_bytes) AS most FROM copies"
            " GROUP BY backend, locator, whole_dag) GROUP BY backend"
        )
        # A place of files has those and, beside them, their DAGs, which count the same bytes.
        return {
            row["backend"]: Held(row["dags"], row["dag_bytes"] if row["file_bytes"] is None else row["file_bytes"])
            for row in rows
        }


def _known(row: sqlite3.Row) -> Known:
    return Known(
        CID.parse(row["cid"]),
        row["backend"],
        row["locator"],
        bool(row["whole_dag"]),
        row["size_bytes"],
        row["sha256"],
        row["how"],
        row["verified_at"],
    )
