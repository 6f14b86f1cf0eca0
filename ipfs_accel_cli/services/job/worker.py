"""A worker process: claims jobs, runs some at once, and hands them back when it is told to end."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import AccelError
from ipfs_accel_cli.core.jobs.decide import LONGEST_WAIT_SECONDS
from ipfs_accel_cli.core.jobs.model import Lease
from ipfs_accel_cli.core.jobs.presence import Presence
from ipfs_accel_cli.core.jobs.queue import Queue
from ipfs_accel_cli.services.job.handlers import Handler
from ipfs_accel_cli.services.job.heart import Heart
from ipfs_accel_cli.services.job.running import run

_LOG = logging.getLogger("ipfs_accel_cli.jobs")
_POLL_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Plan:
    """How to work: `once` is one job, `drain` is until nothing is left that could run within a retry's wait."""

    threads: int = 2
    kinds: tuple[str, ...] = ()
    once: bool = False
    drain: bool = False


class Worker:
    """Works the queue of one home; several processes may, each job is one's at a time."""

    def __init__(self, queue: Queue, handlers: Mapping[str, Handler], plan: Plan) -> None:
        self._queue = queue
        self._handlers = handlers
        self._plan = plan
        self._kinds = tuple(kind for kind in handlers if not plan.kinds or kind in plan.kinds)
        self._host, self._pid = socket.gethostname(), os.getpid()
        self.id = f"{self._host}:{self._pid}:{os.urandom(3).hex()}"
        self._heart = Heart(queue, self.id)
        self._ending = threading.Event()
        self._ended: Counter[str] = Counter()
        self._busy = 0
        self._lock = threading.Lock()
        self._offline = current().offline

    def run(self) -> Mapping[str, int]:
        """Work until told to end, and return how many jobs ended how."""
        self._queue.announce(self._presence())
        self._heart.start()
        _LOG.info(
            "working the queue, %d jobs at once; Ctrl-C hands them back", 1 if self._plan.once else self._plan.threads
        )
        names = [f"job-{number + 1}" for number in range(1 if self._plan.once else self._plan.threads)]
        threads = [threading.Thread(target=self._work, name=name) for name in names]
        try:
            with _signals(self.stop):
                for thread in threads:
                    thread.start()
                try:
                    self._watch(threads)
                except BaseException:
                    self.stop()
                    raise
                finally:
                    self._ending.set()
                    for thread in threads:
                        thread.join()
        finally:
            self._heart.stop()
            self._queue.leave(self.id)
        return dict(self._ended)

    def stop(self) -> None:
        """Take no more jobs, and tell those that run to stop; they are handed back where they are."""
        self._ending.set()
        running = self._heart.halt()
        if running:
            _LOG.info("handing back %d jobs", running)

    def _watch(self, threads: Sequence[threading.Thread]) -> None:
        call = current()
        while not self._ending.wait(_POLL_SECONDS):
            call.check()
            if not any(thread.is_alive() for thread in threads):
                return
            if self._plan.drain and not self._busy:
                until = self._queue.clock() + 1.5 * LONGEST_WAIT_SECONDS
                if self._queue.leave_if_idle(self.id, self._kinds, until):
                    # A job that is claimed from here on is still run to its end.
                    self._ending.set()

    def _work(self) -> None:
        while not self._ending.is_set():
            try:
                lease = self._claim()
                if lease is not None:
                    self._do(lease)
            except (AccelError, sqlite3.Error) as error:
                _LOG.warning("the queue could not be read or written: %s", error)
                lease = None
                self._ending.wait(1.0)
            if self._plan.once:
                return
            if lease is None:
                self._ending.wait(_POLL_SECONDS)

    def _claim(self) -> Lease | None:
        with self._lock:
            # Counted before it is claimed, so that a worker that drains does not leave in between.
            self._busy += 1
        lease: Lease | None = None
        try:
            lease = self._queue.claim(self.id, self._kinds)
        finally:
            if lease is None:
                self._idle()
        return lease

    def _do(self, lease: Lease) -> None:
        name, begun = lease.title or lease.kind, time.monotonic()
        _LOG.info("job %s: started %s", lease.job, name)
        try:
            ended = run(self._queue, self._heart, lease, self._handlers[lease.kind], offline=self._offline)
        finally:
            self._idle()
        _LOG.info("job %s: %s after %.1f s", lease.job, ended, time.monotonic() - begun)
        with self._lock:
            self._ended[ended] += 1

    def _idle(self) -> None:
        with self._lock:
            self._busy -= 1

    def _presence(self) -> Presence:
        now = self._queue.clock()
        return Presence(self.id, self._host, self._pid, self._plan.kinds, self._plan.threads, now, now)


@contextmanager
def _signals(stop: Callable[[], None]) -> Iterator[None]:
    """Stop at the first SIGTERM or SIGINT; at the second end at once, and let the leases run out."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard = threading.Event()

    def hear(number: int, _: FrameType | None) -> None:
        if heard.is_set():
            os._exit(128 + number)
        heard.set()
        # Not in the handler: the thread that it interrupts may hold the lock that stopping needs.
        threading.Thread(target=stop, name="job-stop", daemon=True).start()

    before = {number: signal.signal(number, hear) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
