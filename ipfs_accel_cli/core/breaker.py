"""A circuit breaker: whom to leave alone after failures in a row, and when to try again; values only, no clock.

It is *closed* while calls go through, *open* while none may, and *half-open* once it has cooled down: then one call may
try, and how that ends decides (M. Nygard, Release It!, 2007, chapter 5).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

State = Literal["closed", "open", "half-open"]


@dataclass(frozen=True, slots=True)
class Rules:
    """After how many `failures` in a row it opens, and for how long: twice as long each time that a trial fails."""

    failures: int = 3
    cool_down_s: float = 30.0
    longest_s: float = 600.0


@dataclass(frozen=True, slots=True)
class Breaker:
    """What is known of one place. Times are seconds of any one clock that the caller keeps to.

    Ask `may(now)` before a call, keep `begun(now)` when it begins, and `succeeded()` or `failed(now)` when it ends.
    """

    rules: Rules = Rules()
    failures: int = 0
    openings: int = 0
    until: float = 0.0
    trying: bool = False

    def state(self, now: float) -> State:
        """Say how it stands."""
        if not self.openings:
            return "closed"
        return "open" if now < self.until else "half-open"

    def may(self, now: float) -> bool:
        """Say whether a call may go through."""
        return self.state(now) != "open"

    def begun(self, now: float) -> Breaker:
        """Return the breaker after a call has begun; a half-open one lets no second through meanwhile.

        A trial of which nothing is heard for as long as a cool-down makes room for another.
        """
        if self.state(now) != "half-open":
            return self
        return replace(self, until=now + cool_down(self.rules, self.openings), trying=True)

    def succeeded(self) -> Breaker:
        """Return the breaker after a call that ended well; one that began before it opened says nothing."""
        return self if self.openings and not self.trying else Breaker(self.rules)

    def failed(self, now: float) -> Breaker:
        """Return the breaker after a call that failed for a reason that lies with the place."""
        if self.openings and not self.trying:
            return self
        failures = self.failures + 1
        if not self.openings and failures < self.rules.failures:
            return replace(self, failures=failures)
        openings = self.openings + 1
        return Breaker(self.rules, failures, openings, now + cool_down(self.rules, openings))


def cool_down(rules: Rules, openings: int) -> float:
    """Return the seconds that a breaker stays open when it opens for the nth time in a row."""
    # Beyond 2**60 any bound is reached, and a float would overflow one day.
    return min(rules.cool_down_s * 2.0 ** min(openings - 1, 60), rules.longest_s)


def order(breakers: Sequence[Breaker], now: float) -> list[int]:
    """Return which places to ask, by their number and in its order; those that are open are left out.

    Where all are open, the one that is due first is asked all the same: there is no other.
    """
    ready = [number for number, one in enumerate(breakers) if one.may(now)]
    if ready or not breakers:
        return ready
    return [min(range(len(breakers)), key=lambda number: breakers[number].until)]
