"""Trying again: only where that may help, not before the other side asks for it, and not all at the same moment."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TypeVar

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import AccelError, TryAgain

T = TypeVar("T")

MAX_ATTEMPTS = 4
FIRST_WAIT_SECONDS = 0.25
LONGEST_WAIT_SECONDS = 60.0


def patiently(work: Callable[[], T]) -> T:
    """Return what `work` gives, and run it again while it raises TryAgain; raises the last one."""
    failures = 0
    while True:
        try:
            return work()
        except TryAgain as error:
            failures += 1
            if failures >= MAX_ATTEMPTS:
                raise
            pause(failures, error)


def pause(failures: int, error: AccelError) -> None:
    """Wait after so many failures in a row: as long as the server asks for, else twice as long each time.

    Raises the error itself where the server asks for more than a minute, and Cancelled.
    """
    seconds = wait_seconds(failures, error)
    call = current()
    call.progress(0, None, f"Waiting to try again: {error.detail}")
    call.stopped.wait(seconds)
    call.check()


def wait_seconds(failures: int, error: AccelError) -> float:
    """Return how long to wait after so many failures; raises the error where the server asks for over a minute."""
    asked = error.context.get("retry_after_s")
    if asked is not None and asked > LONGEST_WAIT_SECONDS:
        raise error
    # Give or take a half, so that clients which were turned away together do not come back together.
    spread = FIRST_WAIT_SECONDS * 2 ** (failures - 1) * random.uniform(0.5, 1.5)  # noqa: S311 - no secret hangs on it
    return float(asked) if asked is not None else spread
