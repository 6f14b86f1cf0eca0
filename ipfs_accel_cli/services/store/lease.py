"""Leases: how a writer shows that it lives, and how what a dead writer left is cleared away.

A lease is a folder of its own in `staging/` with a locked file in it; the kernel drops the lock when the process dies.
Files move from there into the store under a shared lock of `store.lock` that is held until their rows are committed.
Whoever holds that lock alone may therefore take every file without a row for rubbish.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.files import sync_folder
from ipfs_accel_cli.core.locks import is_held, locked
from ipfs_accel_cli.services.store.places import Places

_LOCK_NAME = "lock"
_FOUND_NAME = "found"


@dataclass(slots=True)
class Lease:
    """A living writer's folder; it is removed when the lease ends, with all that was not moved out of it."""

    folder: Path
    cleared: list[str] = field(default_factory=list)

    def found(self, sha256: bytes) -> None:
        """Protect an object from gc until the lease ends; call it under the shared store lock, before looking."""
        with (self.folder / _FOUND_NAME).open("ab", buffering=0) as file:
            file.write(sha256)


@contextmanager
def lease(places: Places, database: Database) -> Iterator[Lease]:
    """Hold a lease for the block, after clearing away what dead writers left; raises HomeUnusable."""
    staging = places.home.ensure("staging")
    cleared = recover(places, database)
    folder = staging / uuid.uuid4().hex
    with locked(places.lock, shared=True):
        folder.mkdir(mode=0o700)
        descriptor = os.open(folder / _LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        sync_folder(staging)
        yield Lease(folder, cleared)
    finally:
        try:
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(descriptor)


def recover(places: Places, database: Database) -> list[str]:
    """Remove the folders of dead writers and every file without a row; return what was removed, named from the home.

    Does nothing, and takes no lock, when no writer died.
    """
    if not any(is_dead(folder) for folder in leases(places)):
        return []
    with locked(places.lock):
        dead = [folder for folder in leases(places) if is_dead(folder)]
        removed = [*sweep_orphans(places, database), *dead]
        # The folders go last: they are what tells the next writer that there may be rubbish.
        for folder in dead:
            shutil.rmtree(folder, ignore_errors=True)
    return [str(path.relative_to(places.home.path)) for path in removed]


def leases(places: Places) -> list[Path]:
    """Return the folders in `staging/`, of living and of dead writers."""
    staging = places.home.staging
    return sorted(path for path in staging.iterdir() if path.is_dir()) if staging.is_dir() else []


def is_dead(folder: Path) -> bool:
    """Say whether the writer of this folder is gone."""
    return not is_held(folder / _LOCK_NAME)


def protected(places: Places) -> set[bytes]:
    """Return the sha-256 of every object that a living writer found and will name in its commit."""
    found: set[bytes] = set()
    for folder in leases(places):
        path = folder / _FOUND_NAME
        if path.exists():
            data = path.read_bytes()
            found.update(data[start : start + 32] for start in range(0, len(data), 32))
    return found


def orphans(places: Places, database: Database) -> Iterator[Path]:
    """Yield the files in `objects/` and `blocks/` that have no row; certain only while no writer commits."""
    connection = database.read()
    for digest, path in places.stored(places.home.objects):
        if connection.execute("SELECT 1 FROM objects WHERE sha256 = ?", (digest,)).fetchone() is None:
            yield path
    for digest, path in places.stored(places.home.blocks):
        row = connection.execute("SELECT 1 FROM blocks WHERE multihash = ? AND data IS NULL", (digest,)).fetchone()
        if row is None:
            yield path


def sweep_orphans(places: Places, database: Database) -> list[Path]:
    """Remove the files that have no row; the caller holds the store lock alone."""
    removed = list(orphans(places, database))
    for path in removed:
        path.unlink(missing_ok=True)
    return removed
