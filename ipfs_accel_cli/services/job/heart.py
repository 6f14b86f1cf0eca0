"""The heart of a worker process: renews its leases, writes what jobs report, and hears what is asked of them."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from ipfs_accel_cli.core.call import Call
from ipfs_accel_cli.core.errors import AccelError
from ipfs_accel_cli.core.jobs.model import Lease, LeaseLost, Wish
from ipfs_accel_cli.core.jobs.queue import Queue
from ipfs_accel_cli.services.job.notes import Notes

_LOG = logging.getLogger("ipfs_accel_cli.jobs")
_LONGEST_TICK_SECONDS = 1.0


@dataclass(slots=True)
class Beating:
    """One job that this process runs; who holds `lock` writes what it reported, and nobody does once it has `ended`."""

    lease: Lease
    call: Call
    notes: Notes
    lock: threading.Lock = field(default_factory=threading.Lock)
    ended: bool = False
    beaten_at: float = field(default_factory=time.monotonic)


class Heart:
    """One thread for all jobs of a process; a job's own threads may be busy in native code for minutes."""

    def __init__(self, queue: Queue, worker: str) -> None:
        self._queue = queue
        self._worker = worker
        self._beating: dict[str, Beating] = {}
        self._lock = threading.Lock()
        self._halted = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="job-heart", daemon=True)
        self._every = queue.lease_seconds / 3
        self._seen_at = time.monotonic()

    def start(self) -> None:
        """Begin to beat."""
        self._thread.start()

    def stop(self) -> None:
        """Stop when all jobs of this process have ended."""
        self._ended.set()
        self._thread.join()

    @contextmanager
    def during(self, one: Beating) -> Iterator[None]:
        """Beat for a job while the block runs."""
        with self._lock:
            self._beating[one.lease.job] = one
            if self._halted:
                one.call.stopped.set()
        try:
            yield
        finally:
            with self._lock:
                self._beating.pop(one.lease.job, None)

    def halt(self) -> int:
        """Tell every job that runs, or is about to, to stop, and return how many run."""
        with self._lock:
            self._halted = True
            for one in self._beating.values():
                one.call.stopped.set()
            return len(self._beating)

    def _run(self) -> None:
        tick = min(_LONGEST_TICK_SECONDS, self._every)
        while not self._ended.wait(tick):
            with self._lock:
                running = list(self._beating.values())
            for one in running:
                # Where a job is just being ended its lease matters no more, and the others must not wait.
                if one.lock.acquire(blocking=False):
                    try:
                        self._guarded(lambda one=one: self._beat(one))  # type: ignore[misc]
                    finally:
                        one.lock.release()
            if time.monotonic() - self._seen_at >= self._every:
                self._guarded(lambda: self._queue.seen(self._worker))
                self._seen_at = time.monotonic()

    def _beat(self, one: Beating) -> None:
        if one.ended:
            return
        progress, lines = one.notes.taken()
        # Asked every tick, told to the disk only when there is something to tell: a cancellation is heard at once.
        due = time.monotonic() - one.beaten_at >= self._every
        try:
            if progress is None and not lines and not due:
                wish = self._queue.asked(one.lease)
            else:
                wish = self._queue.note(one.lease, progress, lines)
                one.beaten_at = time.monotonic()
        except LeaseLost:
            one.call.stopped.set()
            return
        if wish is not Wish.NONE:
            one.call.stopped.set()

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except (AccelError, sqlite3.Error) as error:
            # The disk may have room again before the lease runs out; if not, another worker goes on.
            _LOG.warning("a heartbeat could not be written: %s", error)
