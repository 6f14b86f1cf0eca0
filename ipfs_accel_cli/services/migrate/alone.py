"""One process at a time does a migration: a lock that the kernel lets go of when the process dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ipfs_accel_cli.core.errors import Conflict


@contextmanager
def alone(path: Path, source: str, destination: str) -> Iterator[None]:
    """Hold a migration for the block; the kernel lets go of it when the process dies."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Conflict(
                f"another process is bringing {source} to {destination}", suggestion="ipfs-accel migrate status"
            ) from error
        yield
    finally:
        os.close(descriptor)


def is_held(path: Path) -> bool:
    """Say whether some process holds it now."""
    if not path.exists():
        return False
    try:
        with alone(path, "", ""):
            return False
    except Conflict:
        return True
