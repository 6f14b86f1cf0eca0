"""A loop of a library's, step by step: it runs in a thread of its own, and only while somebody waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class _Stopped(BaseException):
    """Ends the loop from inside; no handler of the library's is meant to catch it."""


class Turns(Generic[T]):
    """Runs `work`, which is given a function to call after each of its steps.

    Of the two threads one always waits for the other, so that all happens as if there were one.
    """

    def __init__(self, work: Callable[[Callable[[], None]], T]) -> None:
        self._mine, self._theirs = threading.Semaphore(0), threading.Semaphore(0)
        self._stopping = False
        self._result: T | None = None
        self._problem: BaseException | None = None
        self.finished = False
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        self._thread.start()

    def turn(self) -> T | None:
        """Let it take one step; return what came of it once it has ended, and raise what it raised."""
        self._theirs.release()
        self._mine.acquire()
        if self.finished:
            self._thread.join()
            if self._problem is not None:
                raise self._problem
        return self._result

    def stop(self) -> None:
        """End it at the step where it is."""
        if not self.finished:
            self._stopping = True
            self._theirs.release()
            self._mine.acquire()
        self._thread.join()

    def _run(self, work: Callable[[Callable[[], None]], T]) -> None:
        self._theirs.acquire()
        try:
            if not self._stopping:
                self._result = work(self._pass_on)
        except BaseException as error:
            self._problem = error
        finally:
            self.finished = True
            self._mine.release()

    def _pass_on(self) -> None:
        self._mine.release()
        self._theirs.acquire()
        if self._stopping:
            raise _Stopped
