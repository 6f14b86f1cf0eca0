"""A backend that is measured: calls, bytes, errors by their code, latency and bandwidth, and a note of each call."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from ipfs_accel_cli.backends.base import Backend
from ipfs_accel_cli.backends.wrap.base import closing, wrapped
from ipfs_accel_cli.backends.wrap.passing import Passing
from ipfs_accel_cli.content.car import Block
from ipfs_accel_cli.core.errors import AccelError, classified

T = TypeVar("T")
Note = Callable[[str, int, float, str | None], None]
"""Told of each call that ended: its operation, the bytes that passed, the seconds, and the code of its error.

It must not raise: that would fail the call.
"""

HALF_LIFE_SECONDS = 600.0
# A smaller transfer says how long an answer takes, not how fast bytes come.
LEAST_TRANSFER_BYTES = 256 << 10


def decayed(previous: float, sample: float, age_s: float, half_life_s: float) -> float:
    """Add a sample to a sum whose parts lose half of their weight in each half-life; `age_s` is since the last one.

    The ratio of two such sums is an average that recent samples count more in: bytes over seconds is a bandwidth to
    which each transfer adds by its length, and a burst of calls at one moment counts as many.
    """
    return previous * math.pow(0.5, max(0.0, age_s) / half_life_s) + sample


@dataclass(frozen=True, slots=True)
class Figures:
    """What is known of one operation; `latency_s` is until the answer, or its first item, was there."""

    calls: int
    errors: dict[str, int]
    bytes_in: int
    bytes_out: int
    latency_s: float | None
    bandwidth_bytes_s: float | None


@dataclass(slots=True)
class _Sums:
    calls: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    bytes_in: int = 0
    bytes_out: int = 0
    at: float | None = None
    # Each sum and how much it is made of, decaying together.
    latency: float = 0.0
    answers: float = 0.0
    bytes: float = 0.0
    seconds: float = 0.0

    def add(self, one: _Transfer, now: float) -> None:
        self.calls += 1
        self.bytes_in += one.bytes_in
        self.bytes_out += one.bytes_out
        answered = 0.0 if one.latency is None else 1.0
        counts = float(one.bytes_in + one.bytes_out >= LEAST_TRANSFER_BYTES)
        age, self.at = 0.0 if self.at is None else now - self.at, now
        left = decayed(1.0, 0.0, age, HALF_LIFE_SECONDS)
        self.latency = self.latency * left + (one.latency or 0.0)
        self.answers = self.answers * left + answered
        self.bytes = self.bytes * left + counts * (one.bytes_in + one.bytes_out)
        self.seconds = self.seconds * left + counts * one.seconds

    def figures(self) -> Figures:
        latency = self.latency / self.answers if self.answers else None
        bandwidth = self.bytes / self.seconds if self.seconds else None
        return Figures(self.calls, dict(self.errors), self.bytes_in, self.bytes_out, latency, bandwidth)


@dataclass(slots=True)
class _Transfer:
    bytes_in: int = 0
    bytes_out: int = 0
    seconds: float = 0.0
    latency: float | None = None

    def sent(self, size_bytes: int) -> None:
        self.bytes_out += size_bytes

    @contextmanager
    def timed(self) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds += time.perf_counter() - began


def metered(inner: Backend, meter: Meter) -> Backend:
    """Return a backend whose calls a meter counts."""
    return wrapped(inner, meter)


class Meter:
    """The Around of a backend that is measured; one may count for several backends.

    Of a stream only the time is counted in which it was waited for, not what the reader does meanwhile.
    """

    def __init__(self, note: Note | None = None) -> None:
        self._note = note
        self._sums: dict[str, _Sums] = {}
        self._lock = threading.Lock()

    def figures(self) -> dict[str, Figures]:
        """Return what was counted, by operation."""
        with self._lock:
            return {operation: sums.figures() for operation, sums in self._sums.items()}

    def call(self, operation: str, work: Callable[[Passing | None], T], *, again: bool = True) -> T:
        """Run a call and count it."""
        with self._counted(operation) as transfer:
            with transfer.timed():
                result = work(Passing(transfer.sent))
            if not transfer.bytes_out:
                transfer.latency = transfer.seconds
            transfer.bytes_in += size_of(result)
            return result

    def opened(
        self, locator: str, offset: int, length: int | None, begin: Callable[[int, int | None], Iterator[bytes]]
    ) -> Iterator[bytes]:
        """Yield the bytes of a file and count them."""
        yield from self._streamed("open", lambda: begin(offset, length))

    def stream(
        self, operation: str, begin: Callable[[], Iterator[T]], name: Callable[[T], Hashable], *, rising: bool = False
    ) -> Iterator[T]:
        """Yield the items of a stream and count them."""
        yield from self._streamed(operation, begin)

    def _streamed(self, operation: str, begin: Callable[[], Iterator[T]]) -> Iterator[T]:
        with self._counted(operation) as transfer:
            with transfer.timed():
                begun = begin()
            with closing(begun) as items:
                while True:
                    began = time.perf_counter()
                    try:
                        item = next(items, _END)
                    finally:
                        transfer.seconds += time.perf_counter() - began
                    if transfer.latency is None:
                        transfer.latency = transfer.seconds
                    if isinstance(item, _End):
                        return
                    transfer.bytes_in += size_of(item)
                    yield item

    @contextmanager
    def _counted(self, operation: str) -> Iterator[_Transfer]:
        transfer, code = _Transfer(), None
        try:
            yield transfer
        except GeneratorExit:  # Whoever read a stream has read enough of it.
            raise
        except BaseException as error:
            code = (classified(error) or AccelError("")).code
            raise
        finally:
            with self._lock:
                sums = self._sums.setdefault(operation, _Sums())
                sums.add(transfer, time.monotonic())
                if code:
                    sums.errors[code] += 1
            if self._note is not None:
                self._note(operation, transfer.bytes_in + transfer.bytes_out, transfer.seconds, code)


class _End:
    pass


_END = _End()


def size_of(item: object) -> int:
    """Return how many bytes of content an item brings."""
    return len(item.data) if isinstance(item, Block) else len(item) if isinstance(item, bytes) else 0
