"""A queue whose processes die between any two statements, and a model of what must be true all the same.

Every action of a worker or a client is one transaction. With `die` the process dies at that statement of it, or, where
the transaction has fewer, after it was committed and before anybody heard of it. Who died has forgotten everything; the
database has not. A worker that is slow instead holds a lease that others took over.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ipfs_accel_cli.core import events
from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.errors import AccelError
from ipfs_accel_cli.core.jobs.decide import Limits
from ipfs_accel_cli.core.jobs.model import Lease, LeaseLost, Progress, State
from ipfs_accel_cli.core.jobs.queue import Queue
from ipfs_accel_cli.core.paths import Home

T = TypeVar("T")
STEPS = 3
WORKERS = 3
LIMITS = Limits(kinds={"single": 1}, backends={"s3": 2})
AFTER = {
    "added": State.WAITING, "started": State.RUNNING, "finished": State.DONE, "resumed": State.WAITING,
    "retried": State.WAITING, "handed-back": State.WAITING,
}  # fmt: skip


class Died(Exception):
    """The process is gone."""


class _Mortal:
    """A connection that counts statements and dies at the chosen one."""

    def __init__(self, connection: sqlite3.Connection, database: MortalDatabase) -> None:
        self._connection = connection
        self._database = database

    def execute(self, *statement: Any) -> sqlite3.Cursor:
        self._database.count()
        return self._connection.execute(*statement)

    def executemany(self, *statement: Any) -> sqlite3.Cursor:
        self._database.count()
        return self._connection.executemany(*statement)


class MortalDatabase(Database):
    """A database whose process can die; the disk keeps what was committed, without waiting for it."""

    die_at: int | None = None

    def count(self) -> None:
        if self.die_at is not None:
            if self.die_at == 0:
                raise Died
            self.die_at -= 1

    @contextmanager
    def write(self) -> Iterator[Any]:
        with super().write() as connection:
            yield _Mortal(connection, self)
        if self.die_at is not None and not self.read().in_transaction:
            raise Died


@dataclass
class Model:
    """The queue under test, its workers' memories, and what its clients were promised."""

    home: Home
    now: float = 1_000_000.0
    died: int = 0
    leases: dict[int, list[Lease]] = field(default_factory=lambda: {worker: [] for worker in range(WORKERS)})
    promised: set[str] = field(default_factory=set)
    ledger: Counter[tuple[str, int]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.database = MortalDatabase(self.home)
        self.database.read().execute("PRAGMA synchronous = OFF")
        self.queue = Queue(self.database, clock=lambda: self.now, chance=lambda: 0.5, limits=LIMITS)
        self.queue.workers()

    def close(self) -> None:
        self.database.close()

    def living(self, act: Callable[[], T], die: int | None) -> T | None:
        """Do something as a process that dies at a statement, or not; None where it died or was refused."""
        self.database.die_at = die
        try:
            return act()
        except Died:
            self.died += 1
            return None
        except AccelError:
            return None
        finally:
            self.database.die_at = None

    def add(self, kind: str, backends: list[str], needs: int, priority: int, die: int | None) -> None:
        before = self.ids()
        needed = sorted(before)[-needs:] if needs else []
        job = self.living(
            lambda: self.queue.add(kind, None, backends=backends, needs=needed, priority=priority, max_attempts=50), die
        )
        if job is not None:
            self.promised.add(job)
        fresh = self.ids() - before
        assert len(fresh) <= 1, "added whole, or not at all"
        self.promised |= fresh

    def claim(self, worker: int, die: int | None) -> None:
        lease = self.living(lambda: self.queue.claim(str(worker)), die)
        if lease is not None:
            self.leases[worker].append(lease)
        elif die is not None:
            self.leases[worker].clear()

    def work(self, worker: int, how: str, die: int | None) -> None:
        """Take a worker's oldest job one step on; a worker that lost it must hear so."""
        if not self.leases[worker]:
            return
        lease = self.leases[worker][0]
        mine = self.holds(lease)
        self.database.die_at = die
        try:
            if self._step(lease, how):
                self.leases[worker].remove(lease)
            assert mine, "an old lease was believed"
        except LeaseLost:
            assert not mine, "a lease was lost that nobody took"
            self.leases[worker].remove(lease)
        except Died:
            self.died += 1
            self.leases[worker].clear()
        finally:
            self.database.die_at = None

    def _step(self, lease: Lease, how: str) -> bool:
        done = sum(self.ledger[lease.job, step] for step in range(STEPS))
        if how == "fail":
            self.queue.fail(lease, {"detail": "busy"}, retryable=True)
        elif how == "hand back":
            self.queue.hand_back(lease)
        elif how == "note" or done < STEPS:
            # The work itself is idempotent: a step that is in the ledger is not done again.
            if how != "note":
                self.ledger[lease.job, done] = 1
            self.queue.note(lease, Progress(done + 1, STEPS), ["a line"])
            return False
        else:
            self.queue.finish(lease, lease.attempt)
        return True

    def steer(self, verb: str, which: int, die: int | None) -> None:
        known = sorted(self.promised)
        if known:
            self.living(lambda: getattr(self.queue, verb)(known[which % len(known)]), die)

    def forget(self, worker: int) -> None:
        self.died += bool(self.leases[worker])
        self.leases[worker].clear()

    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    def ids(self) -> set[str]:
        return {row["id"] for row in self.database.rows("SELECT id FROM jobs")}

    def holds(self, lease: Lease) -> bool:
        try:
            self.queue.asked(lease)
        except LeaseLost:
            return False
        return True

    def check(self) -> None:
        """Nothing is lost, nothing has two owners, no limit is passed, nothing runs before what it needs."""
        jobs = {job.id: job for job in self.queue.listed(limit=-1)}
        assert set(jobs) == self.promised
        held = Counter(one.job for mine in self.leases.values() for one in mine if self.holds(one))
        assert all(count == 1 for count in held.values())
        running = [job for job in jobs.values() if job.state is State.RUNNING]
        assert sum(job.kind == "single" for job in running) <= 1
        assert sum("s3" in job.backends for job in running) <= 2
        for row in self.database.rows("SELECT job, needs FROM job_needs"):
            if jobs[row["job"]].state in (State.RUNNING, State.DONE):
                assert jobs[row["needs"]].state is State.DONE
        results = {row["id"]: row["result"] for row in self.database.rows("SELECT id, result FROM jobs")}
        for job in jobs.values():
            assert not job.wish or job.state is State.RUNNING
            assert (job.worker is None) is (job.state is not State.RUNNING)
            if job.state is State.DONE:
                assert results[job.id] == str(job.attempt), "finished by the one that held it last"
                assert all(self.ledger[job.id, step] == 1 for step in range(STEPS))

    def check_events(self) -> None:
        """What was told leads to what is, job by job; an end is told once."""
        told: dict[str, State] = {}
        ends: Counter[str] = Counter()
        for event in events.since(self.database, 0, limit=1_000_000):
            if event.kind != "asked":
                told[event.subject] = State(str(event.data.get("state", AFTER.get(event.kind))))
            ends[event.subject] += event.kind == "finished"
        assert told == {job.id: job.state for job in self.queue.listed(limit=-1)}
        assert all(ends[job] == (state is State.DONE) for job, state in told.items())

    def drain(self) -> None:
        """From here on nobody dies: all that may run ends."""
        for mine in self.leases.values():
            mine.clear()
        for job in self.promised:
            for verb in ("resume", "retry"):
                self.living(lambda job=job, verb=verb: getattr(self.queue, verb)(job), None)  # type: ignore[misc]
        for _ in range(30 * len(self.promised) + 30):
            self.claim(0, None)
            if self.leases[0]:
                self.work(0, "work", None)
            else:
                self.now += 2000
        left = {job.state for job in self.queue.listed(limit=-1)}
        assert left <= {State.DONE, State.CANCELLED}, left
