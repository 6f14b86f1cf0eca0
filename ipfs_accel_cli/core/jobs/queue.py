"""The durable queue: jobs are added, claimed under a lease, and end exactly once."""

from __future__ import annotations

import json
import random
import socket
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager

from ipfs_accel_cli.core import events
from ipfs_accel_cli.core.call import Principal
from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.errors import Conflict, NotFound
from ipfs_accel_cli.core.jobs import leasing, presence, reading, steering
from ipfs_accel_cli.core.jobs.changing import tell
from ipfs_accel_cli.core.jobs.decide import Limits, turn
from ipfs_accel_cli.core.jobs.ids import TimeOrdered
from ipfs_accel_cli.core.jobs.model import JSON, Caller, Job, Lease, Line, Progress, State, Wish, encoded
from ipfs_accel_cli.core.jobs.presence import Presence
from ipfs_accel_cli.core.jobs.schema import MIGRATIONS, OWNER

LEASE_SECONDS = 30.0
MAX_ATTEMPTS = 5
KEPT_EVENTS = 100_000


class Queue:
    """The jobs of one home, shared by threads and processes; every change is one durable transaction with its event.

    `clock` gives seconds since 1970, `ids` ids that sort by time, `chance` numbers from 0 to 1. Inside a transaction
    of `database.write()` every method joins that transaction: a service may change its own rows and add a job in one.
    """

    def __init__(
        self,
        database: Database,
        *,
        clock: Callable[[], float] = time.time,
        ids: Callable[[], str] | None = None,
        chance: Callable[[], float] = random.random,
        lease_seconds: float = LEASE_SECONDS,
        limits: Limits | None = None,
    ) -> None:
        self.database = database
        self.clock = clock
        self.lease_seconds = lease_seconds
        self.limits = limits or Limits()
        self._ids = ids or TimeOrdered(clock)
        self._chance = chance
        self._prepared = False
        self._busy = False

    def add(
        self,
        kind: str,
        arguments: JSON,
        *,
        title: str = "",
        priority: int = 0,
        needs: Iterable[str] = (),
        unique: str | None = None,
        backends: Iterable[str] = (),
        run_at: float | None = None,
        max_attempts: int = MAX_ATTEMPTS,
        caller: Caller | None = None,
    ) -> str:
        """Add a job and return its id; with a `unique` key that an unfinished job has, the id of that one.

        It runs when all jobs of `needs` are done, not before `run_at`, and beside others only as the limits of its
        kind and of its `backends` allow. `max_attempts` failures in a row, none of which got further than ever before,
        park it. Raises NotFound and Conflict for needs that do not exist or were cancelled.
        """
        now = self.clock()
        with self._write() as connection:
            if unique is not None:
                known = connection.execute(
                    "SELECT id FROM jobs WHERE unique_key = ? AND state IN ('waiting', 'running', 'paused')", (unique,)
                ).fetchone()
                if known is not None:
                    return str(known["id"])
            job, ready_at = self._ids(), now if run_at is None else run_at
            connection.execute(
                "INSERT INTO jobs (id, kind, arguments, title, caller, priority, turn, state, unique_key, backends,"
                " max_attempts, created_at, run_at) VALUES (?, ?, ?, ?, ?, ?, ?, 'waiting', ?, ?, ?, ?, ?)",
                (
                    *(job, kind, encoded(arguments), title, (caller or Caller()).text()),
                    *(priority, turn(priority, ready_at), unique, json.dumps(sorted(set(backends)))),
                    *(max_attempts, now, ready_at),
                ),
            )
            for needed in dict.fromkeys(needs):
                _need(connection, job, needed)
            tell(connection, "added", job, job_kind=kind, priority=priority)
        return job

    def claim(self, worker: str, kinds: Sequence[str] = (), now: float | None = None) -> Lease | None:
        """Give the next job (of certain kinds, if named) to a worker; None where none may run now.

        Jobs of workers that were not heard of in time are taken back first, whatever their kind.
        """
        now = self.clock() if now is None else now
        self._prepare()
        # Who waits for work looks without a lock, so that idle workers hold nobody up.
        if not self._busy and not leasing.ready(self.database.read(), kinds, now):
            return None
        with self._write() as connection:
            until = now + self.lease_seconds
            lease = leasing.claim(connection, worker, kinds, now, until, self.limits, self._chance)
        self._busy = lease is not None
        return lease

    def heartbeat(self, lease: Lease) -> Wish:
        """Hold a job for longer and return what was asked of it; raises LeaseLost where it is somebody else's."""
        with self._write() as connection:
            return leasing.renew(connection, lease, self.clock() + self.lease_seconds)

    def asked(self, lease: Lease) -> Wish:
        """Return what was asked of a job, without renewing its lease; raises LeaseLost."""
        return leasing.asked(self.database.read(), lease)

    def note(self, lease: Lease, progress: Progress | None = None, lines: Iterable[str] = ()) -> Wish:
        """Write progress and log lines in one transaction, which is a heartbeat, too; raises LeaseLost."""
        now = self.clock()
        with self._write() as connection:
            return leasing.note(connection, lease, now, now + self.lease_seconds, progress, lines)

    def progress(
        self, lease: Lease, done: float, total: float | None = None, message: str = "", unit: str = ""
    ) -> Wish:
        """Write how far a job is; raises LeaseLost."""
        return self.note(lease, Progress(done, total, message, unit))

    def log(self, lease: Lease, line: str) -> Wish:
        """Add a line to a job's log; raises LeaseLost."""
        return self.note(lease, lines=[line])

    def finish(self, lease: Lease, result: JSON = None) -> None:
        """End a job well and keep its result; raises LeaseLost, and then nothing was changed."""
        with self._write() as connection:
            leasing.finish(connection, lease, self.clock(), result)

    def fail(self, lease: Lease, problem: JSON, *, retryable: bool, asked_seconds: float = 0.0) -> State:
        """End an attempt badly and return what became of the job: waiting for another, or parked; raises LeaseLost."""
        with self._write() as connection:
            return leasing.fail(
                connection,
                lease,
                self.clock(),
                problem,
                retryable=retryable,
                asked_seconds=asked_seconds,
                chance=self._chance(),
            )

    def hand_back(self, lease: Lease) -> State:
        """Give a job back unfinished, which is no failure: cancelled or paused if that was asked; raises LeaseLost."""
        with self._write() as connection:
            return leasing.hand_back(connection, lease, self.clock())

    def cancel(self, job: str) -> State:
        """Cancel a job and those that wait for it; one that runs ends when its worker hears of it."""
        with self._write() as connection:
            return steering.cancel(connection, job, self.clock())

    def pause(self, job: str) -> State:
        """Keep a job from being run, or stop one that runs, which keeps what it did."""
        with self._write() as connection:
            return steering.pause(connection, job)

    def resume(self, job: str) -> State:
        """Let a paused job run again."""
        with self._write() as connection:
            return steering.resume(connection, job)

    def retry(self, job: str) -> State:
        """Run a parked job again, its failures forgotten."""
        with self._write() as connection:
            return steering.retry(connection, job, self.clock())

    def prune(self, states: Sequence[State], before: float, whose: Principal | None = None) -> list[str]:
        """Forget jobs that ended before a time and return their ids; never one that another job waits for."""
        with self._write() as connection:
            return steering.prune(connection, states, before, whose)

    def get(self, name: str) -> Job:
        """Return a job by its id, or by what only its id begins or ends with; raises NotFound and Invalid."""
        return reading.get(self.database, name)

    def listed(
        self,
        states: Sequence[State] = (),
        kinds: Sequence[str] = (),
        limit: int = 1000,
        whose: Principal | None = None,
    ) -> list[Job]:
        """Return jobs without their results, all or those of one principal, the newest first."""
        return reading.listed(self.database, states, kinds, limit, whose)

    def logs(self, job: str, since: int = 0, limit: int = 1000) -> list[Line]:
        """Return the lines of a job's log after a sequence number, the oldest first."""
        return reading.logs(self.database, job, since, limit)

    def announce(self, one: Presence) -> None:
        """Say that a worker process is there, and forget events that are long past."""
        with self._write() as connection:
            presence.announce(connection, one)
        events.prune(self.database, KEPT_EVENTS)

    def seen(self, worker: str) -> None:
        """Say that it still is."""
        with self._write() as connection:
            presence.seen(connection, worker, self.clock())

    def leave(self, worker: str) -> None:
        """Say that a worker process has ended."""
        with self._write() as connection:
            presence.leave(connection, worker)

    def leave_if_idle(self, worker: str, kinds: Sequence[str], until: float) -> bool:
        """Say so, and return true, where nothing runs and nothing may run before `until`."""
        with self._write() as connection:
            return presence.leave_if_idle(connection, worker, kinds, until, self.limits)

    def workers(self) -> list[Presence]:
        """Return the worker processes that live."""
        self._prepare()
        return presence.living(self.database.read(), self.clock(), 2 * self.lease_seconds)

    def take_back(self) -> int:
        """Take the jobs of dead workers back, and return how many there were."""
        now = self.clock()
        with self._write() as connection:
            presence.bury(connection, socket.gethostname(), now)
            return leasing.take_back(connection, now, self._chance)

    def unheld(self) -> list[Job]:
        """Return running jobs whose worker is dead or was not heard of in time."""
        self._prepare()
        known = {one.id for one in presence.known_workers(self.database.read())}
        dead = known - {one.id for one in self.workers()}
        now = self.clock()
        running = self.listed([State.RUNNING], limit=-1)
        return [job for job in running if job.worker in dead or (job.lease_until or now) <= now]

    def _write(self) -> AbstractContextManager[sqlite3.Connection]:
        self._prepare()
        return self.database.write()

    def _prepare(self) -> None:
        if not self._prepared:
            events.prepare(self.database)
            self.database.migrate(OWNER, MIGRATIONS)
            # In somebody's transaction the tables go again if it is rolled back.
            self._prepared = not self.database.read().in_transaction


def _need(connection: sqlite3.Connection, job: str, needed: str) -> None:
    row = connection.execute("SELECT state FROM jobs WHERE id = ?", (needed,)).fetchone()
    if row is None:
        raise NotFound(f"no job {needed!r}, which the new one needs", suggestion="ipfs-accel job ls")
    if row["state"] == State.CANCELLED:
        raise Conflict(f"job {needed}, which the new one needs, was cancelled", suggestion="ipfs-accel job ls")
    connection.execute("INSERT INTO job_needs (job, needs) VALUES (?, ?)", (job, needed))
