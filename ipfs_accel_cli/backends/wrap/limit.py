"""A backend that is not asked for too much: so many bytes a second, in both directions together, and calls at once."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import TypeVar

from ipfs_accel_cli.backends.base import Backend
from ipfs_accel_cli.backends.wrap.base import closing, wrapped
from ipfs_accel_cli.backends.wrap.meter import size_of
from ipfs_accel_cli.backends.wrap.passing import Passing
from ipfs_accel_cli.core.call import current

T = TypeVar("T")

# How long to wait in one piece: a call may also be stopped by its reporter, which has to be asked.
_LOOK_SECONDS = 0.2
_BURST_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Bucket:
    """A token bucket: `left` bytes may pass at once as of `at`, fewer than none where some passed in advance."""

    rate_bytes_s: float
    burst_bytes: float
    left: float
    at: float


def taken(bucket: Bucket, size_bytes: int, now: float) -> tuple[Bucket, float]:
    """Take bytes out of a bucket; return what remains, and the seconds to wait before they may pass."""
    since = max(0.0, now - bucket.at)
    left = min(bucket.burst_bytes, bucket.left + since * bucket.rate_bytes_s) - size_bytes
    return replace(bucket, left=left, at=max(now, bucket.at)), max(0.0, -left / bucket.rate_bytes_s)


class Rate:
    """A rate that all threads share; they pass in the order in which they came."""

    def __init__(self, rate_bytes_s: float) -> None:
        burst = rate_bytes_s * _BURST_SECONDS
        self._bucket = Bucket(rate_bytes_s, burst, burst, time.monotonic())
        self._lock = threading.Lock()

    def wait(self, size_bytes: int) -> None:
        """Wait until so many bytes may pass; raises Cancelled."""
        with self._lock:
            self._bucket, seconds = taken(self._bucket, size_bytes, time.monotonic())
        call, until = current(), time.monotonic() + seconds
        while (seconds := until - time.monotonic()) > 0:
            call.stopped.wait(min(seconds, _LOOK_SECONDS))
            call.check()


class Turns:
    """So many places; who waits for one gets it in the order of coming.

    A thread that has one needs no second: it would wait for itself, as when it reads from a backend what it puts there.
    """

    def __init__(self, places: int) -> None:
        self._free = places
        self._line: deque[object] = deque()
        self._holders: Counter[int] = Counter()
        self._changed = threading.Condition()

    @contextmanager
    def one(self) -> Iterator[None]:
        """Hold a place during the block; raises Cancelled while waiting for it."""
        holder = threading.get_ident()
        with self._changed:
            if not self._holders[holder]:
                self._wait()
                self._free -= 1
            self._holders[holder] += 1
        try:
            yield
        finally:
            with self._changed:
                self._holders[holder] -= 1
                if not self._holders[holder]:
                    del self._holders[holder]
                    self._free += 1
                    self._changed.notify_all()

    def _wait(self) -> None:
        ticket, call = object(), current()
        self._line.append(ticket)
        try:
            while not self._free or self._line[0] is not ticket:
                self._changed.wait(_LOOK_SECONDS)
                call.check()
        finally:
            self._line.remove(ticket)
            self._changed.notify_all()


def limited(inner: Backend, *, rate_bytes_s: float | None = None, concurrency: int | None = None) -> Backend:
    """Return a backend whose threads pass so many bytes a second together, and so many calls at once."""
    return wrapped(inner, Limit(rate_bytes_s, concurrency))


class Limit:
    """The Around of a backend with limits. A stream holds its place until it has ended or was closed."""

    def __init__(self, rate_bytes_s: float | None, concurrency: int | None) -> None:
        self._rate = Rate(rate_bytes_s) if rate_bytes_s else None
        self._turns = Turns(concurrency) if concurrency else None

    def call(self, operation: str, work: Callable[[Passing | None], T], *, again: bool = True) -> T:
        """Run a call once it is its turn."""
        with self._turn():
            return work(Passing(self._rate.wait, strict=True) if self._rate else None)

    def opened(
        self, locator: str, offset: int, length: int | None, begin: Callable[[int, int | None], Iterator[bytes]]
    ) -> Iterator[bytes]:
        """Yield the bytes of a file, no faster than allowed."""
        yield from self._slowed(lambda: begin(offset, length))

    def stream(
        self, operation: str, begin: Callable[[], Iterator[T]], name: Callable[[T], Hashable], *, rising: bool = False
    ) -> Iterator[T]:
        """Yield the items of a stream, no faster than allowed."""
        yield from self._slowed(begin)

    def _slowed(self, begin: Callable[[], Iterator[T]]) -> Iterator[T]:
        with self._turn(), closing(begin()) as items:
            for item in items:
                if self._rate:
                    self._rate.wait(size_of(item))
                yield item

    def _turn(self) -> AbstractContextManager[None]:
        return self._turns.one() if self._turns else nullcontext()
