"""Advisory locks on files: the kernel drops them when the process dies, so that none is ever left behind."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ipfs_accel_cli.core.call import current

_WAIT_SECONDS = 0.1


@contextmanager
def locked(path: Path, *, shared: bool = False) -> Iterator[None]:
    """Hold a lock on a file for the block, making the file; waits for whoever has it."""
    with _opened(path) as descriptor:
        fcntl.flock(descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield


@contextmanager
def alone(path: Path) -> Iterator[bool]:
    """Hold a lock on a file for the block, making the file; yields whether nobody else has it, and does not wait."""
    with _opened(path) as descriptor:
        yield taken(descriptor)


def taken(descriptor: int) -> bool:
    """Lock what was opened unless another has; say whether that was so. Closing it gives the lock back."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def wait_for(descriptor: int, message: str) -> None:
    """Lock what was opened, telling the caller that it waits; raises Cancelled when the caller gives up."""
    call = current()
    while not taken(descriptor):
        call.progress(0, None, message)
        call.stopped.wait(_WAIT_SECONDS)


def is_held(path: Path) -> bool:
    """Say whether anybody has the lock of a file now; nobody has that of a file that is not there."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return not taken(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
