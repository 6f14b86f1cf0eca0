"""What doctor asks the store: that everything committed is here, and nothing that was not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.locks import locked
from ipfs_accel_cli.services.store.blocks import Blocks
from ipfs_accel_cli.services.store.index import Index
from ipfs_accel_cli.services.store.lease import is_dead, leases, orphans, recover, sweep_orphans
from ipfs_accel_cli.services.store.results import Finding
from ipfs_accel_cli.services.store.roots import DIRECT
from ipfs_accel_cli.services.store.walking import Frontier, walk

PARTIAL = "partial"  # The kind of a root that was imported without all of its blocks: what it lacks is no surprise.
_REPLACE = "put or import the original again: it replaces what is damaged"


def check(index: Index, blocks: Blocks, database: Database) -> list[Finding]:
    """Compare tables, files and roots without hashing anything; an empty list is a clean bill."""
    if not index.places.home.state_file.exists():
        return []
    return [*_database(index), *_rubbish(index, database), *_objects(index), *_blocks(index), *_roots(index, blocks)]


def mend(index: Index, database: Database) -> list[Finding]:
    """Remove what dead writers left behind; return what was removed. Raises HomeUnusable for a read-only home."""
    index.places.home.ensure()
    index.connection()
    removed = recover(index.places, database)
    with locked(index.places.lock):
        home = index.places.home.path
        removed += [str(path.relative_to(home)) for path in sweep_orphans(index.places, database)]
    return [Finding(kind="rubbish", subject=name, detail="removed", mendable=True) for name in removed]


def _database(index: Index) -> Iterator[Finding]:
    for row in index.connection().execute("PRAGMA integrity_check").fetchall():
        if row[0] != "ok":
            yield Finding(kind="database", subject="state.db", detail=str(row[0]), mendable=False)
    for row in index.connection().execute("PRAGMA foreign_key_check").fetchall():
        detail = f"a row of {row[0]} points to a row of {row[2]} that is not there"
        yield Finding(kind="database", subject="state.db", detail=detail, mendable=False)


def _rubbish(index: Index, database: Database) -> Iterator[Finding]:
    places = index.places
    dead = [folder for folder in leases(places) if is_dead(folder)]
    stray = list(orphans(places, database))
    if stray and os.access(places.home.path, os.W_OK):
        # A writer may just be between its rename and its rows; nobody is while the lock is held alone.
        with locked(places.lock):
            stray = list(orphans(places, database))
    notes = [(path, "left by a writer that died") for path in dead] + [(path, "no row names it") for path in stray]
    for path, detail in notes:
        name = str(path.relative_to(places.home.path))
        yield Finding(kind="rubbish", subject=name, detail=detail, mendable=True, suggestion="ipfs-accel store gc")


def _objects(index: Index) -> Iterator[Finding]:
    for stored in index.objects():
        trouble = stored.trouble() or ("found damaged by the last verification" if stored.damaged else None)
        if trouble is not None:
            yield Finding(
                kind="damaged", subject=stored.sha256.hex(), detail=trouble, mendable=False, suggestion=_REPLACE
            )


def _blocks(index: Index) -> Iterator[Finding]:
    rows = index.connection().execute("SELECT multihash, size_bytes FROM blocks WHERE data IS NULL").fetchall()
    for row in rows:
        trouble = _wrong_size(index.places.block(row["multihash"]), row["size_bytes"])
        if trouble is not None:
            name = row["multihash"].hex()
            yield Finding(kind="damaged", subject=name, detail=trouble, mendable=False, suggestion=_REPLACE)


def _roots(index: Index, blocks: Blocks) -> Iterator[Finding]:
    with Frontier() as frontier:
        for row in index.roots():
            if row["kind"] == PARTIAL:
                continue
            cid = CID.parse(row["cid"])
            if row["kind"] == DIRECT and blocks.has(cid):
                continue
            visits = walk(index, blocks, [cid], frontier, inner_leaves=False)
            absent = [visit.cid for visit in visits if visit.kind == "missing"]
            if absent:
                detail = f"{row['owner']}:{row['label']} lacks {len(absent)} blocks, the first {absent[0]}"
                yield Finding(kind="missing", subject=str(cid), detail=detail, mendable=False, suggestion=_REPLACE)


def _wrong_size(path: Path, size_bytes: int) -> str | None:
    if not path.exists():
        return "the file of the block is missing"
    actual = path.stat().st_size
    return None if actual == size_bytes else f"the file of the block has {actual} bytes instead of {size_bytes}"
