"""When to leave a server alone: a circuit breaker and an order of servers, as values; the time comes in as a number.

A breaker is closed while all is well, open for a while after so many failures in a row, and half open after that: one
call may try, and its end decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

State = Literal["closed", "open", "half-open"]

FAILURES = 3
COOLING_SECONDS = 30.0
LONGEST_COOLING_SECONDS = 300.0
PROBE_SECONDS = 120.0  # A probe that has not ended by then is taken for lost.


@dataclass(frozen=True, slots=True)
class Breaker:
    """How a server did lately; `open_until` is set while it is not closed, and `probed_at` while a probe runs."""

    failures: int = 0
    open_until: float | None = None
    probed_at: float | None = None

    def state(self, now: float) -> State:
        """Say how it is; while a probe runs it counts as open for everyone else."""
        if self.open_until is None:
            return "closed"
        probing = self.probed_at is not None and now < self.probed_at + PROBE_SECONDS
        return "open" if now < self.open_until or probing else "half-open"

    def began(self, now: float) -> Breaker:
        """Return it after a call has begun: a probe, where it was half open."""
        return replace(self, probed_at=now) if self.state(now) == "half-open" else self

    def succeeded(self) -> Breaker:
        """Return it after a call went well."""
        return Breaker()

    def failed(self, now: float) -> Breaker:
        """Return it after a call failed: open from FAILURES in a row on, twice as long after each failed probe."""
        failures = self.failures + 1
        if failures < FAILURES:
            return Breaker(failures)
        cooling = min(COOLING_SECONDS * 2.0 ** min(failures - FAILURES, 16), LONGEST_COOLING_SECONDS)
        return Breaker(failures, now + cooling)


def order(breakers: Sequence[Breaker], now: float) -> list[int]:
    """Return which servers to ask, by their place in the list and in its order; those that are open are left out.

    Where all are open, the one that is due first is asked all the same: there is no other.
    """
    ready = [place for place, one in enumerate(breakers) if one.state(now) != "open"]
    if ready or not breakers:
        return ready
    return [min(range(len(breakers)), key=lambda place: breakers[place].open_until or 0.0)]
