"""Bounded threads that carry the call with them, stop together and hand errors up."""

from __future__ import annotations

import contextvars
import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def usable_cores() -> int:
    """Return how many cores this process may run on, under its affinity mask."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def ordered(work: Callable[[T], R], items: Iterable[T], workers: int, ahead: int = 0) -> Generator[R, None, None]:
    """Yield `work(item)` in the order of `items`, at most `workers` at a time and twice as many queued, or `ahead`.

    The first error stops what has not begun and is raised; closing the iterator does the same.
    """
    with ThreadPoolExecutor(max_workers=workers) as pool:
        waiting, most = deque[Future[R]](), max(2 * workers, ahead)
        try:
            for item in items:
                waiting.append(pool.submit(contextvars.copy_context().run, work, item))
                if len(waiting) >= most:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
