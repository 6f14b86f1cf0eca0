"""Decaying averages: how long a place takes to answer, how fast bytes pass, how often a call fails.

Sums and what they are made of lose half of their weight in each half-life, so their ratio is an average in which what
is recent counts more. Time comes in as an argument.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

HALF_LIFE_S = 86_400.0
# A smaller transfer says how long an answer takes, not how fast bytes come.
LEAST_TRANSFER_BYTES = 256 << 10
# What weighs less is not known any more: a single transfer of a week ago.
LEAST_WEIGHT = 0.5**7
# Errors that say something of the place, and not of what was asked of it.
FAULTS = frozenset(
    (
        "disk-full",
        "internal",
        "malformed-content",
        "not-authorised",
        "remote-failed",
        "try-again",
        "unavailable",
        "verification-failed",
    )
)


@dataclass(frozen=True, slots=True)
class Averages:
    """The sums of one operation at one place, as they stood at a time; `last_code` is how the last call ended."""

    at_s: float = 0.0
    calls: float = 0.0
    faults: float = 0.0
    answers: float = 0.0
    waited_s: float = 0.0
    bytes: float = 0.0
    moved_s: float = 0.0
    transfers: float = 0.0
    last_code: str = ""

    @property
    def latency_s(self) -> float | None:
        """Seconds until an answer; None where that is not known."""
        return self.waited_s / self.answers if self.answers >= LEAST_WEIGHT else None

    @property
    def bandwidth_bytes_s(self) -> float | None:
        """Bytes a second, where each transfer counts by its length; None where that is not known."""
        return self.bytes / self.moved_s if self.transfers >= LEAST_WEIGHT and self.moved_s else None

    @property
    def fault_share(self) -> float | None:
        """The share of calls that failed through the place's fault; None where none was made lately."""
        return min(1.0, self.faults / self.calls) if self.calls >= LEAST_WEIGHT else None


_SUMS = ("calls", "faults", "answers", "waited_s", "bytes", "moved_s", "transfers")


def aged(averages: Averages, now_s: float) -> Averages:
    """Return averages as they weigh at a later time; a clock that went back ages nothing."""
    left = _left(averages, now_s)
    sums = {name: getattr(averages, name) * left for name in _SUMS}
    return replace(averages, at_s=max(now_s, averages.at_s), **sums)


def added(averages: Averages, now_s: float, size_bytes: int, seconds: float, code: str | None) -> Averages:
    """Add a call that ended now; one that failed tells nothing of speed, and one that took no time nothing at all."""
    left = _left(averages, now_s)
    fault = code in FAULTS
    ended = code is None and seconds > 0
    moved = ended and size_bytes >= LEAST_TRANSFER_BYTES
    answered = ended and not moved
    return Averages(
        at_s=max(now_s, averages.at_s),
        calls=averages.calls * left + (code is None or fault),
        faults=averages.faults * left + fault,
        answers=averages.answers * left + answered,
        waited_s=averages.waited_s * left + (seconds if answered else 0.0),
        bytes=averages.bytes * left + (size_bytes if moved else 0),
        moved_s=averages.moved_s * left + (seconds if moved else 0.0),
        transfers=averages.transfers * left + moved,
        last_code=averages.last_code if code is not None and not fault else code or "",
    )


def joined(several: list[Averages], now_s: float) -> Averages:
    """Return the sum of several operations' averages at one time; how the last call of them ended is its code."""
    if not several:
        return Averages(now_s)
    latest = max(several, key=lambda one: (one.at_s, one.last_code))
    now = [aged(one, now_s) for one in several]
    sums = {name: sum(getattr(one, name) for one in now) for name in _SUMS}
    return Averages(at_s=latest.at_s, last_code=latest.last_code, **sums)


def _left(averages: Averages, now_s: float) -> float:
    return math.pow(0.5, max(0.0, now_s - averages.at_s) / HALF_LIFE_S)
