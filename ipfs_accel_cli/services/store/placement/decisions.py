"""Decisions: what was to be placed when, which places came out, and why."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.services.store.placement.wants import Ranked, Want

_OWNER = "decisions"
_MIGRATIONS = (
    (
        "1-decisions",
        """
    CREATE TABLE decisions (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at TEXT NOT NULL,
        cause TEXT NOT NULL,
        cid TEXT NOT NULL,
        size_bytes INTEGER NOT NULL,
        storage_class TEXT NOT NULL,
        strategy TEXT NOT NULL,
        ranked TEXT NOT NULL
    );
    """,
    ),
)
_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Decision:
    """One of them; `ranked` are the places in their order: name, score, chosen, and why or why not."""

    id: int
    at: str
    cause: str
    cid: str
    size_bytes: int
    storage_class: str
    strategy: str
    ranked: list[dict[str, object]]


class Decisions:
    """The last ten thousand decisions of one home."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, cause: str, cid: str, want: Want, ranked: Sequence[Ranked]) -> None:
        """Write a decision down."""
        self._database.migrate(_OWNER, _MIGRATIONS)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        told = json.dumps([_told(one) for one in ranked], separators=(",", ":"))
        with self._database.write() as connection:
            made = connection.execute(
                "INSERT INTO decisions (at, cause, cid, size_bytes, storage_class, strategy, ranked)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (now, cause, cid, want.size_bytes, want.storage_class, want.strategy, told),
            )
            connection.execute("DELETE FROM decisions WHERE id <= ?", ((made.lastrowid or 0) - _KEPT,))

    def newest(self, limit: int, cid: str | None = None) -> list[Decision]:
        """Return the last decisions, the newest first."""
        rows = self._database.rows(
            "SELECT * FROM decisions WHERE cid = coalesce(?, cid) ORDER BY id DESC LIMIT ?", (cid, limit)
        )
        return [Decision(**dict(row) | {"ranked": json.loads(row["ranked"])}) for row in rows]


def _told(one: Ranked) -> dict[str, object]:
    return {
        "name": one.name,
        "score": one.score,
        "chosen": one.chosen,
        "why": [one.refused or one.passed_over] if one.refused or one.passed_over else list(one.reasons),
    }
