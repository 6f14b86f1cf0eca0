"""The commit of a session: files into place, then all rows in one transaction."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.files import sync_folder
from ipfs_accel_cli.core.locks import locked
from ipfs_accel_cli.core.parallel import ordered
from ipfs_accel_cli.services.store.index import Index, identity
from ipfs_accel_cli.services.store.places import place
from ipfs_accel_cli.services.store.roots import Root, keep
from ipfs_accel_cli.services.store.schema import next_sequence
from ipfs_accel_cli.services.store.staging import Staging, merge

_SYNC_THREADS = 8  # The file system writes the journal once for many files that are synced at the same time.

Also = Callable[[sqlite3.Connection], None]


def commit(staging: Staging, index: Index, database: Database, roots: Sequence[Root], also: Also | None) -> None:
    """Make what is staged part of the store, or leave the store as it was.

    The store lock is shared from the first rename to the end of the transaction, so that nobody takes a file that has
    no row yet for rubbish.
    """
    _sync(staging)
    moved: list[Path] = []
    try:
        with locked(index.places.lock, shared=True):
            _move(staging, index, database, moved)
            with _attached(index.connection(), staging.seal()), database.write() as connection:
                merge(connection, next_sequence(connection))
                for root in roots:
                    keep(connection, root)
                if also is not None:
                    also(connection)
    except BaseException:
        _move_back(index, moved)
        raise


def stands(index: Index, sha256: bytes, *, linked: bool) -> bool:
    """Say whether the store holds an object in good order, as far as can be seen without reading it.

    A link to the user's file does not stand for a copy that is to be put, for the user may change the file.
    """
    found = index.find_object(sha256)
    if found is None or found.damaged or (found.link_identity is not None and not linked):
        return False
    return found.trouble() is None


def _sync(staging: Staging) -> None:
    objects = (staging.object_path(sha256) for sha256, _, _ in staging.fresh_objects())
    blocks = (staging.block_path(multihash) for multihash in staging.large_blocks())
    for paths in (objects, blocks):
        for _ in ordered(_sync_file, paths, _SYNC_THREADS):
            pass


def _sync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _move(staging: Staging, index: Index, database: Database, moved: list[Path]) -> None:
    folders: set[Path] = set()
    for sha256, _, linked in staging.fresh_objects():
        if stands(index, sha256, linked=linked):
            staging.found_in_store(sha256)
            continue
        _announce(index, database, sha256, staging.object_path(sha256))
        moved.append(index.places.object(sha256))
        folders.add(place(staging.object_path(sha256), moved[-1]))
    for multihash in staging.large_blocks():
        moved.append(index.places.block(multihash))
        folders.add(place(staging.block_path(multihash), moved[-1]))
    for folder in sorted(folders):
        sync_folder(folder)


def _announce(index: Index, database: Database, sha256: bytes, path: Path) -> None:
    """Say that a file is about to take the place of another object's: a crash may come between it and its row.

    Until then a linked object may be either of the two. Any other is replaced only because something is wrong with it,
    and stays in disrepute.
    """
    found = index.find_object(sha256)
    if found is None:
        return
    with database.write() as connection:
        if found.link_identity is None:
            connection.execute("UPDATE objects SET damaged = 1 WHERE sha256 = ?", (sha256,))
        else:
            either = f"{found.link_identity} {identity(path.stat())}"
            connection.execute("UPDATE objects SET link_identity = ? WHERE sha256 = ?", (either, sha256))


def _move_back(index: Index, moved: list[Path]) -> None:
    """Remove what was moved, except where another writer has committed the same file meanwhile."""
    if not moved:
        return
    with locked(index.places.lock):
        for path in moved:
            key = bytes.fromhex(path.name)
            if index.find_object(key) is None and index.find_block(key) is None:
                path.unlink(missing_ok=True)


@contextmanager
def _attached(connection: sqlite3.Connection, database: Path) -> Iterator[None]:
    connection.execute("ATTACH DATABASE ? AS staged", (str(database),))
    try:
        yield
    finally:
        connection.execute("DETACH DATABASE staged")
