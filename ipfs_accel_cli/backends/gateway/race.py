"""A race with a staggered start: the first is favoured, and nobody waits long for one that is slow or down."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import AccelError

T = TypeVar("T")

UNKNOWN_DELAY_SECONDS = 0.5
_LEAST_SECONDS, _MOST_SECONDS = 0.05, 2.0
_TURN_SECONDS = 0.1  # How often whoever waits asks whether to stop.


def delay_seconds(latency_seconds: float | None) -> float:
    """Return how long to wait for one that usually takes so long before the next one starts, too."""
    if latency_seconds is None:
        return UNKNOWN_DELAY_SECONDS
    return min(max(2 * latency_seconds, _LEAST_SECONDS), _MOST_SECONDS)


class Race(Generic[T]):
    """One race: `failed(place, error)` hears of those that fall out, `discard` gets what came after the first."""

    def __init__(self, failed: Callable[[int, AccelError], None], discard: Callable[[T], None]) -> None:
        self._failed = failed
        self._discard = discard
        self._answers: SimpleQueue[tuple[int, T | None, BaseException | None]] = SimpleQueue()
        self._lock = threading.Lock()
        self._over = False

    def run(self, starts: Sequence[Callable[[], T]], delays_seconds: Sequence[float]) -> T | None:
        """Start one after the other, each at once when those before it failed; return what the first one gives.

        None where all failed with an AccelError; any other error is raised. Those that are still at it when one has
        come in go on in their threads until they notice, and nothing waits for them.
        """
        if len(starts) == 1:
            return self._alone(starts[0])
        try:
            return self._raced(starts, delays_seconds)
        finally:
            with self._lock:
                self._over = True
            while not self._answers.empty():
                _, made, _ = self._answers.get()
                if made is not None:
                    self._discard(made)

    def _alone(self, start: Callable[[], T]) -> T | None:
        try:
            return start()
        except AccelError as error:
            current().check()
            self._failed(0, error)
            return None

    def _raced(self, starts: Sequence[Callable[[], T]], delays_seconds: Sequence[float]) -> T | None:
        begun = ended = 0
        begin_at = time.monotonic()
        while ended < len(starts):
            current().check()
            if begun < len(starts) and (begun == ended or time.monotonic() >= begin_at):
                self._begin(begun, starts[begun])
                begin_at = time.monotonic() + delays_seconds[begun]
                begun += 1
            wait = _TURN_SECONDS if begun == len(starts) else min(_TURN_SECONDS, begin_at - time.monotonic())
            try:
                place, made, error = self._answers.get(timeout=max(wait, 0.001))
            except Empty:
                continue
            if made is not None:
                return made
            if not isinstance(error, AccelError):
                raise error or AssertionError("a start gave neither")
            ended += 1
            begin_at = time.monotonic()
            self._failed(place, error)
        return None

    def _begin(self, place: int, start: Callable[[], T]) -> None:
        thread = threading.Thread(
            target=contextvars.copy_context().run, args=(self._one, place, start), name="gateway", daemon=True
        )
        thread.start()

    def _one(self, place: int, start: Callable[[], T]) -> None:
        made, failure = None, None
        try:
            made = start()
        except BaseException as error:
            failure = error
        with self._lock:
            if not self._over:
                self._answers.put((place, made, failure))
                return
        if made is not None:
            self._discard(made)
