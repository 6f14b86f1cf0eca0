"""The sidecars of one home: which versions there are, and which is the newest of each."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.errors import Conflict, MalformedContent
from ipfs_accel_cli.services.store.metadata.version import Version
from ipfs_accel_cli.services.store.reading import Reader
from ipfs_accel_cli.services.store.roots import DIRECT, METADATA, Root
from ipfs_accel_cli.services.store.session import PutSession

OpenSession = Callable[[str | None], AbstractContextManager[PutSession]]

_MIGRATIONS = (
    (
        "1-meta-heads-versions",
        """
    CREATE TABLE meta_heads (
        subject BLOB PRIMARY KEY,
        version BLOB NOT NULL,
        changed_at TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE meta_versions (
        subject BLOB NOT NULL,
        version BLOB NOT NULL,
        PRIMARY KEY (subject, version)
    ) WITHOUT ROWID;
    """,
    ),
)


@dataclass(frozen=True, slots=True)
class Head:
    """The newest version of a sidecar."""

    subject: CID
    version: CID
    changed_at: str


@dataclass(frozen=True, slots=True)
class Table:
    """Reads and writes sidecars; their versions are blocks of the store, each kept by itself."""

    database: Database
    reader: Reader
    session: OpenSession

    def head(self, subject: CID) -> Head | None:
        """Return the newest version of a sidecar."""
        rows = self.database.rows("SELECT * FROM meta_heads WHERE subject = ?", (bytes(subject.to_v1()),))
        return _head(rows[0]) if rows else None

    def heads(self) -> Iterator[Head]:
        """Yield the newest version of every sidecar."""
        return map(_head, self.database.rows("SELECT * FROM meta_heads ORDER BY subject"))

    def version(self, cid: CID, subject: CID) -> Version:
        """Read a version; raises NotFound, VerificationFailed and MalformedContent."""
        return of_subject(self.reader.block(cid), subject, str(cid))

    def history(self, subject: CID) -> dict[CID, Version]:
        """Return all versions of a sidecar."""
        query = "SELECT version FROM meta_versions WHERE subject = ?"
        cids = [CID.parse(row["version"]) for row in self.database.rows(query, (bytes(subject.to_v1()),))]
        return {cid: self.version(cid, subject) for cid in cids}

    def keep(self, subject: CID, versions: Mapping[CID, Version], head: CID, before: CID | None) -> None:
        """Keep versions and let one be the newest, all of it or nothing.

        Raises Conflict where the newest is not `before` any more.
        """
        self.database.migrate(METADATA, _MIGRATIONS)
        label = str(subject.to_v1())
        with self.session(None) as session:
            for cid, version in versions.items():
                session.block(cid, version.encode()[1])
            roots = [Root(cid, METADATA, label, DIRECT) for cid in versions]
            session.commit(roots, also=lambda connection: _move(connection, subject, list(versions), head, before))


def of_subject(block: bytes, subject: CID, what: str) -> Version:
    """Read the block of a version; raises MalformedContent for one that is about something else."""
    version = Version.decode(block)
    if version.subject.to_v1() != subject.to_v1():
        raise MalformedContent(f"{what} is about {version.subject}, and not about {subject}")
    return version


def _move(connection: sqlite3.Connection, subject: CID, versions: list[CID], head: CID, before: CID | None) -> None:
    key, now = bytes(subject.to_v1()), datetime.now(UTC).isoformat(timespec="seconds")
    row = connection.execute("SELECT version FROM meta_heads WHERE subject = ?", (key,)).fetchone()
    if (None if row is None else row["version"]) != (None if before is None else bytes(before)):
        raise Conflict(
            f"the metadata of {subject} changed meanwhile; nothing was done",
            suggestion=f"ipfs-accel store meta get {subject}",
        )
    connection.executemany("INSERT OR IGNORE INTO meta_versions VALUES (?, ?)", [(key, bytes(one)) for one in versions])
    if before != head:
        connection.execute("INSERT OR REPLACE INTO meta_heads VALUES (?, ?, ?)", (key, bytes(head), now))


def _head(row: sqlite3.Row) -> Head:
    return Head(CID.parse(row["subject"]), CID.parse(row["version"]), row["changed_at"])
