"""What one writer has made but not committed: files in its lease folder, rows in a database beside them.

The rows wait on disk rather than in memory, so that a session of any size stays small, and enter the state database
as a few statements of one transaction.
"""

from __future__ import annotations

import itertools
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ipfs_accel_cli.services.store.places import INLINE_BYTES

LeafRow = tuple[int, bytes, int, int, int]  # position, digest, framing, offset, length

_SCHEMA = """
CREATE TABLE objects (
    sha256 BLOB PRIMARY KEY, size_bytes INTEGER, kind TEXT, link_path TEXT, link_identity TEXT, fresh INTEGER
);
CREATE TABLE files (
    number INTEGER PRIMARY KEY, cid BLOB UNIQUE, cid_version INTEGER, sha256 BLOB, profile TEXT, total_bytes INTEGER
);
CREATE TABLE leaves (
    number INTEGER, position INTEGER, digest BLOB, framing INTEGER, offset INTEGER, length INTEGER,
    PRIMARY KEY (number, position)
) WITHOUT ROWID;
CREATE TABLE blocks (multihash BLOB PRIMARY KEY, size_bytes INTEGER, data BLOB);
"""

_MERGE = (
    """
    INSERT INTO main.objects (sha256, size_bytes, kind, link_path, link_identity, sequence)
    SELECT sha256, size_bytes, kind, link_path, link_identity, :sequence FROM staged.objects WHERE fresh
    ON CONFLICT (sha256) DO UPDATE SET kind = excluded.kind, link_path = excluded.link_path,
        link_identity = excluded.link_identity, size_bytes = excluded.size_bytes, damaged = 0,
        sequence = excluded.sequence
    """,
    """
    UPDATE main.objects SET sequence = :sequence
    WHERE sha256 IN (SELECT sha256 FROM staged.objects WHERE NOT fresh)
    """,
    """
    INSERT INTO main.files (cid, cid_version, object, profile, total_bytes, sequence)
    SELECT new.cid, new.cid_version, objects.id, new.profile, new.total_bytes, :sequence
    FROM staged.files AS new JOIN main.objects AS objects ON objects.sha256 = new.sha256
    WHERE true ON CONFLICT (cid) DO UPDATE SET sequence = excluded.sequence
    """,
    """
    INSERT OR IGNORE INTO main.leaves (file, position, digest, framing, offset, length)
    SELECT files.id, leaf.position, leaf.digest, leaf.framing, leaf.offset, leaf.length
    FROM staged.files AS new JOIN main.files AS files ON files.cid = new.cid
    JOIN staged.leaves AS leaf ON leaf.number = new.number
    """,
    """
    INSERT INTO main.blocks (multihash, size_bytes, data, sequence)
    SELECT multihash, size_bytes, data, :sequence FROM staged.blocks
    WHERE true ON CONFLICT (multihash) DO UPDATE SET size_bytes = excluded.size_bytes, data = excluded.data,
        sequence = excluded.sequence
    """,
)


@dataclass(frozen=True, slots=True)
class StagedObject:
    """A file of the lease folder that is to become an object; without `path` the object is in the store already."""

    sha256: bytes
    size_bytes: int
    path: Path | None
    link_path: str | None = None
    link_identity: str | None = None


class Staging:
    """The uncommitted rows and files of one session; its methods may be called from several threads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.RLock()
        self._numbers = itertools.count(1)
        for name in ("objects", "blocks"):
            (folder / name).mkdir(mode=0o700)
        self._database = folder / "staged.db"
        # The kernel's page cache is durable enough: after a crash the whole folder is thrown away.
        self._connection = sqlite3.connect(self._database, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = OFF")
        self._connection.execute("PRAGMA synchronous = OFF")
        self._connection.executescript(_SCHEMA)
        self._connection.execute("BEGIN")

    def new_file(self) -> tuple[int, Path]:
        """Return a number for a file that is about to be stored, and where to write its bytes."""
        number = next(self._numbers)
        return number, self.folder / "objects" / str(number)

    def add_object(self, staged: StagedObject) -> None:
        """Take note of an object; of equal ones the first file is kept."""
        with self._lock:
            known = self._connection.execute("SELECT 1 FROM objects WHERE sha256 = ?", (staged.sha256,)).fetchone()
            if known is None:
                kind = "link" if staged.link_identity else "own"
                row = (staged.sha256, staged.size_bytes, kind, staged.link_path, staged.link_identity)
                self._connection.execute(
                    "INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?)", (*row, staged.path is not None)
                )
                if staged.path is not None:
                    os.rename(staged.path, self.object_path(staged.sha256))
            elif staged.path not in (None, self.object_path(staged.sha256)):
                staged.path.unlink()

    def add_leaves(self, number: int, rows: Iterable[LeafRow]) -> None:
        """Take note of the leaves of the file with this number."""
        with self._lock:
            numbered = [(number, *row) for row in rows]
            self._connection.executemany("INSERT INTO leaves VALUES (?, ?, ?, ?, ?, ?)", numbered)

    def add_file(
        self, number: int, cid: bytes, cid_version: int, sha256: bytes, profile: str | None, total_bytes: int
    ) -> None:
        """Take note of a whole-file DAG, by the bytes of its version 1 CID; an equal one makes this one void."""
        row = (number, cid, cid_version, sha256, profile, total_bytes)
        with self._lock:
            if self._connection.execute("SELECT 1 FROM files WHERE cid = ?", (cid,)).fetchone():
                self._connection.execute("DELETE FROM leaves WHERE number = ?", (number,))
            else:
                self._connection.execute("INSERT INTO files VALUES (?, ?, ?, ?, ?, ?)", row)

    def add_block(self, multihash: bytes, data: bytes) -> None:
        """Keep a block: in the database when it is small, else as a file."""
        small = len(data) <= INLINE_BYTES
        with self._lock:
            if not small:
                self.block_path(multihash).write_bytes(data)
            row = (multihash, len(data), data if small else None)
            self._connection.execute("INSERT OR IGNORE INTO blocks VALUES (?, ?, ?)", row)

    def block(self, multihash: bytes) -> bytes | None:
        """Return a block that this session holds."""
        with self._lock:
            row = self._connection.execute("SELECT data FROM blocks WHERE multihash = ?", (multihash,)).fetchone()
        if row is None:
            return None
        return bytes(row[0]) if row[0] is not None else self.block_path(multihash).read_bytes()

    def has_file(self, cid: bytes) -> bool:
        """Say whether this session holds the whole-file DAG with this version 1 CID."""
        with self._lock:
            return self._connection.execute("SELECT 1 FROM files WHERE cid = ?", (cid,)).fetchone() is not None

    def object_path(self, sha256: bytes) -> Path:
        """Return where the bytes of a staged object lie."""
        return self.folder / "objects" / sha256.hex()

    def block_path(self, multihash: bytes) -> Path:
        """Return where a large staged block lies."""
        return self.folder / "blocks" / multihash.hex()

    def fresh_objects(self) -> Iterator[tuple[bytes, int, bool]]:
        """Yield the sha-256 and size of every object whose bytes are in the lease folder, and whether it is linked."""
        query = "SELECT sha256, size_bytes, kind FROM objects WHERE fresh ORDER BY sha256"
        for sha256, size_bytes, kind in self._connection.execute(query).fetchall():
            yield sha256, size_bytes, kind == "link"

    def large_blocks(self) -> Iterator[bytes]:
        """Yield the multihash of every block that is a file."""
        for row in self._connection.execute("SELECT multihash FROM blocks WHERE data IS NULL").fetchall():
            yield row[0]

    def found_in_store(self, sha256: bytes) -> None:
        """Take note that an object is in the store already, so that its staged bytes are not needed."""
        self._connection.execute("UPDATE objects SET fresh = 0 WHERE sha256 = ?", (sha256,))

    def execute(self, statement: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        """Run a statement on the session's own database; for tables that one use of a session needs for itself."""
        with self._lock:
            return self._connection.execute(statement, values).fetchall()

    def seal(self) -> Path:
        """End the session's own transaction; return the database to attach."""
        self._connection.execute("COMMIT")
        return self._database

    def close(self) -> None:
        """Let go of the database."""
        self._connection.close()


def merge(connection: sqlite3.Connection, sequence: int) -> None:
    """Copy the rows of the database attached as `staged` into the state database, inside the caller's transaction."""
    for statement in _MERGE:
        connection.execute(statement, {"sequence": sequence})
