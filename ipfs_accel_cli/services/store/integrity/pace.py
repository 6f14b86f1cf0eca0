"""How fast and how long: a bound on bytes a second and on the time of a run, as pure arithmetic and one wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ipfs_accel_cli.core.call import current


def owed_seconds(done_bytes: int, rate_bytes_s: float | None, passed_seconds: float) -> float:
    """Return how long to wait so that so many bytes were not read faster than the rate."""
    if not rate_bytes_s:
        return 0.0
    return max(0.0, done_bytes / rate_bytes_s - passed_seconds)


@dataclass(slots=True)
class Pace:
    """A run that may take `seconds` in all and reads `rate_bytes_s` at most; None is no bound."""

    rate_bytes_s: float | None = None
    seconds: float | None = None
    clock: Callable[[], float] = time.monotonic
    done_bytes: int = 0
    _began: float = field(default=-1.0)

    def over(self) -> bool:
        """Say whether the time is up."""
        return self.seconds is not None and self._passed() >= self.seconds

    def took(self, count: int) -> None:
        """Count bytes that were read, and wait where that was too fast; raises Cancelled."""
        self.done_bytes += count
        owed = owed_seconds(self.done_bytes, self.rate_bytes_s, self._passed())
        if owed > 0:
            current().stopped.wait(owed)
        current().check()

    def _passed(self) -> float:
        if self._began < 0:
            self._began = self.clock()
        return self.clock() - self._began
