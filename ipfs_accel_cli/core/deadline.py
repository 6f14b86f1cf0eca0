"""A bound on how long a caller waits, kept wherever the work asks whether to stop."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from ipfs_accel_cli.core.call import Reporter, current, using
from ipfs_accel_cli.core.errors import Invalid, TryAgain


class _Deadline:
    """Passes everything on to a reporter until the time is over; then every look raises TryAgain.

    The error holds the text that was made by then.
    """

    def __init__(self, reporter: Reporter, seconds: float) -> None:
        self._reporter, self._seconds = reporter, seconds
        self._until = time.monotonic() + seconds
        self._texts: list[str] = []

    def progress(self, done: float, total: float | None, message: str, unit: str) -> None:
        self._reporter.progress(done, total, message, unit)

    def emit(self, text: str) -> None:
        self._texts.append(text)
        self._reporter.emit(text)

    def check(self) -> None:
        self._reporter.check()
        if time.monotonic() >= self._until:
            raise TryAgain(
                f"not finished after {self._seconds:g} seconds"
                + ("; what was made by then is in the context" * bool(self._texts)),
                suggestion="ask for less, or allow more time with --timeout",
                text="".join(self._texts),
                timeout_s=self._seconds,
            )


@contextmanager
def within(seconds: float | None) -> Iterator[None]:
    """Bound the block to so many seconds, or not; raises TryAgain from the next look at the call after that.

    Raises Invalid for what is no positive number.
    """
    if seconds is None:
        yield
        return
    if not (math.isfinite(seconds) and seconds > 0):
        raise Invalid(f"--timeout must be above 0, not {seconds:g}")
    call = current()
    with using(replace(call, reporter=_Deadline(call.reporter, seconds))):
        yield
