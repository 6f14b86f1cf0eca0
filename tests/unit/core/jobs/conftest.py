"""A queue whose clock and chance the test sets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.jobs.decide import Limits
from ipfs_accel_cli.core.jobs.queue import Queue
from ipfs_accel_cli.core.paths import Home


@dataclass
class Clock:
    now: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queue(home: Path, clock: Clock) -> Iterator[Queue]:
    database = Database(Home.locate(home))
    yield Queue(database, clock=clock, chance=lambda: 0.5, limits=Limits(kinds={"single": 1}, backends={"s3": 1}))
    database.close()
