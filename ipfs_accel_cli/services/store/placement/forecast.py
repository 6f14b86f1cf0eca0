"""Forecasts: a straight line that single odd days do not bend, and how wrong it was when it was tried on the past."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

LEAST_DAYS = 14
_HELD_OUT = 4  # One in four, the latest.


@dataclass(frozen=True, slots=True)
class Line:
    """A line through the values of successive days, the first of them day 0."""

    slope: float
    level: float

    def at(self, day: float) -> float:
        """Return its value on a day; nothing is ever less than nothing."""
        return max(0.0, self.level + self.slope * day)

    def mean(self, first: int, last: int) -> float:
        """Return the mean of its values on the days from the first to the last."""
        return sum(self.at(day) for day in range(first, last + 1)) / (last - first + 1)


@dataclass(frozen=True, slots=True)
class Forecast:
    """A line, or why there is none; `error` is the mean absolute error of its back-test, as a share."""

    line: Line | None
    error: float | None
    why: str = ""


def trend(values: Sequence[float]) -> Line:
    """Return the Theil-Sen line: the median of the slopes between all pairs, and the median of what it leaves."""
    pairs = [
        (later - earlier) / (second - first)
        for first, earlier in enumerate(values)
        for second, later in enumerate(values[first + 1 :], first + 1)
    ]
    slope = median(pairs) if pairs else 0.0
    return Line(slope, median(value - slope * day for day, value in enumerate(values)))


def back_test(values: Sequence[float]) -> float | None:
    """Fit the first three quarters and return the mean absolute error on the last, as a share of the mean there.

    A share of each day's own value would be boundless where little was left. None where nothing was there.
    """
    held = max(1, len(values) // _HELD_OUT)
    line, known = trend(values[:-held]), values[-held:]
    wrong = [abs(line.at(day) - value) for day, value in enumerate(known, len(values) - held)]
    return sum(wrong) / sum(known) if sum(known) else None


def forecast(values: Sequence[float]) -> Forecast:
    """Return the line through the values of successive days; none for fewer than 14 of them."""
    if len(values) < LEAST_DAYS:
        return Forecast(
            None, None, f"unknown, because there are fewer than {LEAST_DAYS} days of history: {len(values)}"
        )
    error = back_test(values)
    return Forecast(trend(values), error, "" if error is not None else "its error is unknown: nothing was there lately")
