"""Workers in this process on a real queue, whose handlers the test gives."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.jobs.model import JSON, Lease, State
from ipfs_accel_cli.core.jobs.queue import Queue
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.services.job.worker import Plan, Worker

Work = Callable[[Lease], JSON]


class Shop:
    """A queue, and workers that are there for a block."""

    def __init__(self, home: Path) -> None:
        self.database = Database(Home.locate(home))
        self.queue = Queue(self.database, chance=lambda: 0.0, lease_seconds=3.0)

    def worked(self, work: Work, plan: Plan | None = None) -> dict[str, int]:
        """Work the queue until it is empty."""
        return dict(Worker(self.queue, {"test": work}, plan or Plan(drain=True)).run())

    @contextmanager
    def working(self, work: Work) -> Iterator[Worker]:
        """Have a worker until the block ends."""
        worker = Worker(self.queue, {"test": work}, Plan())
        thread = threading.Thread(target=worker.run)
        thread.start()
        try:
            yield worker
        finally:
            worker.stop()
            thread.join()

    def until(self, job: str, *states: State) -> State:
        """Wait until a job is in one of some states."""
        ended = threading.Event()
        for _ in range(600):
            state = self.queue.get(job).state
            if state in states:
                return state
            ended.wait(0.05)
        raise AssertionError(f"{job} is {state} still")


@pytest.fixture
def shop(home: Path) -> Iterator[Shop]:
    made = Shop(home)
    yield made
    made.database.close()
