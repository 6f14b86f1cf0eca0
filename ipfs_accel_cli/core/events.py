"""The event log: what changed, in the order in which it became true, told in the same transaction as the change."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

    from ipfs_accel_cli.core.database import Database

OWNER = "events"

# AUTOINCREMENT never gives a number twice, also not after the newest rows were pruned. Since one transaction writes at
# a time, a reader that has seen a number will never see a smaller one appear later.
MIGRATIONS = (
    (
        "1-events",
        """
        CREATE TABLE events (
            sequence INTEGER PRIMARY KEY AUTOINCREMENT,
            at TEXT NOT NULL,
            topic TEXT NOT NULL,
            kind TEXT NOT NULL,
            subject TEXT NOT NULL,
            data TEXT NOT NULL
        );
        CREATE INDEX events_by_topic ON events (topic, sequence);
        """,
    ),
)


@dataclass(frozen=True, slots=True)
class Event:
    """One change: `topic` is the room it happened in (`store`, `job`, `migrate`), `kind` what happened, in one word."""

    sequence: int
    at: str
    topic: str
    kind: str
    subject: str
    data: Mapping[str, object]


def prepare(database: Database) -> None:
    """Make the log's table where it is missing; services that tell events call it once, when they are made."""
    database.migrate(OWNER, MIGRATIONS)


def tell(connection: sqlite3.Connection, topic: str, kind: str, subject: str, **data: object) -> int:
    """Write an event inside the caller's write transaction and return its sequence number."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    row = (now, topic, kind, subject, json.dumps(data, sort_keys=True))
    cursor = connection.execute("INSERT INTO events (at, topic, kind, subject, data) VALUES (?, ?, ?, ?, ?)", row)
    return int(cursor.lastrowid or 0)


def tell_all(
    connection: sqlite3.Connection, topic: str, subject: str, told: Sequence[tuple[str, Mapping[str, object]]]
) -> None:
    """Write events of one subject, each its kind and data, inside the caller's write transaction."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    connection.executemany(
        "INSERT INTO events (at, topic, kind, subject, data) VALUES (?, ?, ?, ?, ?)",
        [(now, topic, kind, subject, json.dumps(data, sort_keys=True)) for kind, data in told],
    )


def since(database: Database, sequence: int, topics: Sequence[str] = (), limit: int = 1000) -> list[Event]:
    """Return the events after a sequence number, oldest first, at most `limit`; those of certain topics if asked."""
    chosen = f" AND topic IN ({', '.join('?' * len(topics))})" if topics else ""
    query = f"SELECT * FROM events WHERE sequence > ?{chosen} ORDER BY sequence LIMIT ?"  # noqa: S608 - only marks
    rows = database.rows(query, (sequence, *topics, limit))
    return [
        Event(row["sequence"], row["at"], row["topic"], row["kind"], row["subject"], json.loads(row["data"]))
        for row in rows
    ]


def newest(database: Database) -> int:
    """Return the sequence number of the newest event ever told, 0 before the first."""
    rows = database.rows("SELECT seq FROM sqlite_sequence WHERE name = 'events'")
    return int(rows[0]["seq"]) if rows else 0


def oldest(database: Database) -> int:
    """Return the smallest sequence number that is still kept; one more than the newest where nothing is.

    Who has read less than the number before it has missed events and must start from the state itself.
    """
    row = database.rows("SELECT min(sequence) AS first FROM events")
    first = row[0]["first"] if row else None
    return int(first) if first is not None else newest(database) + 1


def prune(database: Database, keep: int) -> int:
    """Forget all but the newest `keep` events and return how many went; their numbers are never used again."""
    with database.write() as connection:
        query = "DELETE FROM events WHERE sequence <= (SELECT max(sequence) FROM events) - ?"
        return connection.execute(query, (keep,)).rowcount
