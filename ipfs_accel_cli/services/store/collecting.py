"""Garbage collection: marking what the roots reach, then removing what was here before and was not reached.

The mark runs beside writers. Only the sweep holds the store lock alone: it marks what new roots reach, spares what a
living writer has found, deletes the rows in one transaction, and unlinks the files after it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.locks import locked
from ipfs_accel_cli.services.store.blocks import Blocks
from ipfs_accel_cli.services.store.index import Index
from ipfs_accel_cli.services.store.lease import lease, protected, sweep_orphans
from ipfs_accel_cli.services.store.results import Collected
from ipfs_accel_cli.services.store.roots import DIRECT
from ipfs_accel_cli.services.store.schema import last_sequence
from ipfs_accel_cli.services.store.walking import Frontier, Visit, walk

_TABLES = ("horizon", "reached_files", "reached_blocks", "found_objects")
_MARKS = (
    "CREATE TEMP TABLE horizon (sequence INTEGER)",
    "CREATE TEMP TABLE reached_files (id INTEGER PRIMARY KEY)",
    "CREATE TEMP TABLE reached_blocks (multihash BLOB PRIMARY KEY) WITHOUT ROWID",
    "CREATE TEMP TABLE found_objects (sha256 BLOB PRIMARY KEY) WITHOUT ROWID",
    """
    CREATE TEMP VIEW doomed_files AS SELECT id FROM main.files
    WHERE sequence <= (SELECT sequence FROM temp.horizon) AND id NOT IN (SELECT id FROM temp.reached_files)
    """,
    """
    CREATE TEMP VIEW doomed_blocks AS SELECT multihash, size_bytes, data IS NULL AS large FROM main.blocks
    WHERE sequence <= (SELECT sequence FROM temp.horizon)
        AND multihash NOT IN (SELECT multihash FROM temp.reached_blocks)
    """,
    """
    CREATE TEMP VIEW doomed_objects AS SELECT id, sha256, size_bytes, kind FROM main.objects
    WHERE sequence <= (SELECT sequence FROM temp.horizon)
        AND sha256 NOT IN (SELECT sha256 FROM temp.found_objects)
        AND id NOT IN (SELECT object FROM main.files WHERE id NOT IN (SELECT id FROM temp.doomed_files))
    """,
)


def collect(index: Index, blocks: Blocks, database: Database, *, dry_run: bool) -> Collected:
    """Remove everything that nothing keeps, or only say what would go."""
    connection = index.connection()
    if dry_run:
        with _marks(connection), Frontier() as frontier:
            _begin(index, blocks, connection, frontier)
            return _count(connection, dry_run=True)
    with lease(index.places, database), _marks(connection), Frontier() as frontier:
        before = _begin(index, blocks, connection, frontier)
        with locked(index.places.lock):
            with database.write():
                _mark(index, blocks, connection, frontier, after=before)
                _spare(connection, protected(index.places))
                collected = _count(connection, dry_run=False)
                doomed = _sweep(index, connection)
            for path in doomed:
                path.unlink(missing_ok=True)
            sweep_orphans(index.places, database)
    return collected


def _begin(index: Index, blocks: Blocks, connection: sqlite3.Connection, frontier: Frontier) -> int:
    """Mark what is reached now; return the number of the last write that may be judged by it."""
    before = last_sequence(connection)
    connection.execute("INSERT INTO temp.horizon VALUES (?)", (before,))
    _spare(connection, protected(index.places))
    _mark(index, blocks, connection, frontier, after=0)
    return before


def _kept(connection: sqlite3.Connection, *, after: int, direct: bool) -> list[CID]:
    query = "SELECT DISTINCT cid FROM roots WHERE sequence > ? AND (kind = ?) = ?"
    return [CID.parse(row["cid"]) for row in connection.execute(query, (after, DIRECT, direct)).fetchall()]


def _mark(index: Index, blocks: Blocks, connection: sqlite3.Connection, frontier: Frontier, *, after: int) -> None:
    """Mark what the roots reach that were kept after a write, and the blocks that are pinned by themselves."""
    for cid in _kept(connection, after=after, direct=True):
        key = cid.multihash.encode()
        connection.execute("INSERT OR IGNORE INTO temp.reached_blocks VALUES (?)", (key,))
        if index.find_block(key) is None:
            frontier.push([file.cid for file, _ in index.holders(cid)][:1])
    for visit in walk(index, blocks, _kept(connection, after=after, direct=False), frontier, inner_leaves=False):
        if visit.file is not None:
            connection.execute("INSERT OR IGNORE INTO temp.reached_files VALUES (?)", (visit.file.id,))
        elif visit.kind == "leaf":
            _mark_holder(index, connection, frontier, visit)
        if visit.kind == "node":
            key = visit.cid.multihash.encode()
            connection.execute("INSERT OR IGNORE INTO temp.reached_blocks VALUES (?)", (key,))


def _mark_holder(index: Index, connection: sqlite3.Connection, frontier: Frontier, visit: Visit) -> None:
    """Keep one file that holds a leaf which is linked by itself; all of it, for a file is kept whole or not at all."""
    query = "SELECT 1 FROM leaves JOIN temp.reached_files ON id = file WHERE digest = ? LIMIT 1"
    if connection.execute(query, (visit.cid.multihash.digest,)).fetchone() is None:
        frontier.push([file.cid for file, _ in index.holders(visit.cid)][:1])


def _spare(connection: sqlite3.Connection, found: set[bytes]) -> None:
    rows = ((sha256,) for sha256 in found)
    connection.executemany("INSERT OR IGNORE INTO temp.found_objects VALUES (?)", rows)


def _count(connection: sqlite3.Connection, *, dry_run: bool) -> Collected:
    objects, own_bytes = connection.execute(
        # A linked file is the user's: removing our name for it frees nothing.
        "SELECT count(*), coalesce(sum(CASE kind WHEN 'own' THEN size_bytes ELSE 0 END), 0) FROM temp.doomed_objects"
    ).fetchone()
    blocks, block_bytes = connection.execute(
        "SELECT count(*), coalesce(sum(size_bytes), 0) FROM temp.doomed_blocks"
    ).fetchone()
    (views,) = connection.execute("SELECT count(*) FROM temp.doomed_files").fetchone()
    return Collected(dry_run=dry_run, freed_bytes=own_bytes + block_bytes, objects=objects, blocks=blocks, views=views)


def _sweep(index: Index, connection: sqlite3.Connection) -> list[Path]:
    """Delete the rows of what is doomed; return the files to unlink once the transaction is in."""
    objects = connection.execute("SELECT id, sha256 FROM temp.doomed_objects").fetchall()
    large = connection.execute("SELECT multihash FROM temp.doomed_blocks WHERE large").fetchall()
    connection.execute("DELETE FROM main.blocks WHERE multihash IN (SELECT multihash FROM temp.doomed_blocks)")
    connection.execute("DELETE FROM main.files WHERE id IN (SELECT id FROM temp.doomed_files)")
    connection.executemany("DELETE FROM main.objects WHERE id = ?", [(row["id"],) for row in objects])
    paths = [index.places.object(row["sha256"]) for row in objects]
    return paths + [index.places.block(row["multihash"]) for row in large]


@contextmanager
def _marks(connection: sqlite3.Connection) -> Iterator[None]:
    for statement in _MARKS:
        connection.execute(statement)
    try:
        yield
    finally:
        for view in ("doomed_objects", "doomed_blocks", "doomed_files"):
            connection.execute(f"DROP VIEW temp.{view}")
        for table in _TABLES:
            connection.execute(f"DROP TABLE temp.{table}")
