"""Measured figures: a median with its spread, what made it doubtful, and whether a change is more than chance."""

from __future__ import annotations

import math
import os
import statistics
from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from ipfs_accel_cli.core.results import Result

# A spread of more than this share of the median, or this share of the cores kept busy by others, makes a figure noisy.
NOISY_SPREAD = 0.10
NOISY_BUSY = 0.25
_BUSY_SECONDS = 0.2
# Of a normal distribution the standard deviation is 1.4826 MAD; three of them leave chance one case in 370.
_DEVIATIONS = 3 * 1.4826
# Runs of the same machine on different days differ by so much even when each of them is steady.
LEAST_NOISE = 0.05
_UNITS = {"bytes/s": "B/s", "operations/s": "op/s"}

Better = Literal["higher", "lower"]


class Load(Result):
    """What the machine did besides."""

    load_1m: float | None = Field(default=None, description="Runnable processes, mean of the last minute.")
    busy_share: float = Field(description="Share of all cores that worked in a short look, 0 to 1.")


class Row(Result):
    """One figure: the median of its samples, and how far they lie from it in the middle (MAD)."""

    columns = ("name", "figure", "spread", "threads", "device", "samples", "noisy", "reason")
    essence = "median"

    name: str = Field(description="What was measured, such as gemm-float32 or read.")
    state: Literal["present", "absent"] = Field(description="absent where it cannot be measured here.")
    reason: str = Field(default="", description="Why it was not measured.")
    unit: str = Field(description="GFLOP/s, bytes/s, operations/s or seconds.")
    better: Better = Field(description="Whether more or less is better.")
    median: float | None = None
    mad: float | None = Field(default=None, description="Median absolute deviation, in the same unit.")
    samples: int = 0
    noisy: bool = Field(default=False, description="Whether the spread, or the load besides, makes it doubtful.")
    threads: int | None = None
    device: str | None = None

    @property
    def figure(self) -> str:
        """The median in words, such as 1.11 GB/s."""
        return in_words(self.median, self.unit)

    @property
    def spread(self) -> str:
        """The MAD as a share of the median."""
        return f"± {self.mad / abs(self.median):.1%}" if self.median and self.mad is not None else ""


class ComparedRow(Result):
    """One figure in two runs."""

    columns = ("name", "was", "now", "changed", "within", "verdict", "reason")
    essence = "verdict"

    name: str
    unit: str
    before: float
    after: float | None = Field(default=None, description="Null where it is gone.")
    change: float | None = Field(
        default=None,
        description="How much better the second is, as a share: -0.2 is a fifth worse; null where it is gone.",
    )
    noise: float = Field(description="The change that chance alone explains, as a share.")
    verdict: Literal["better", "same", "worse", "gone"] = Field(
        description="gone where only the first run measured it: a regression too."
    )
    reason: str = Field(default="", description="Why it is gone, where the second run says so.")

    @property
    def was(self) -> str:
        """The first figure in words."""
        return in_words(self.before, self.unit)

    @property
    def now(self) -> str:
        """The second figure in words."""
        return in_words(self.after, self.unit)

    @property
    def changed(self) -> str:
        """The change in per cent."""
        return "" if self.change is None else f"{self.change:+.1%}"

    @property
    def within(self) -> str:
        """The noise in per cent."""
        return f"± {self.noise:.1%}"


def in_words(value: float | None, unit: str) -> str:
    """Write a figure with three digits and the prefix that suits it."""
    if value is None:
        return ""
    if unit == "seconds":
        return f"{value * 1e6:.3g} µs" if value < 1e-3 else f"{value * 1e3:.3g} ms"
    scaled, prefix = value, ""
    for larger in ("k", "M", "G", "T") if unit != "GFLOP/s" else ():
        if abs(scaled) < 1000:
            break
        scaled, prefix = scaled / 1000, larger
    return f"{scaled:.3g} {prefix}{_UNITS.get(unit, unit)}"


def row(name: str, unit: str, samples: Sequence[float], better: Better = "higher") -> Row:
    """Put samples together: their median, and the median of how far they are from it."""
    median, mad = middle(samples)
    noisy = len(samples) < 2 or (mad > NOISY_SPREAD * abs(median))
    return Row(
        name=name, state="present", unit=unit, better=better, median=median, mad=mad, samples=len(samples), noisy=noisy
    )


def middle(samples: Sequence[float]) -> tuple[float, float]:
    """Return the median and the median absolute deviation from it."""
    median = statistics.median(samples)
    return median, statistics.median(abs(sample - median) for sample in samples)


def absent(name: str, unit: str, reason: str, better: Better = "higher") -> Row:
    """Return a row for what cannot be measured here."""
    return Row(name=name, state="absent", unit=unit, better=better, reason=reason)


def load() -> Load:
    """Look for a moment at what the machine does besides: the load of a minute, and how busy the cores are now."""
    import psutil

    average = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return Load(load_1m=average, busy_share=psutil.cpu_percent(_BUSY_SECONDS) / 100)


def judged(rows: Sequence[Row], before: Load) -> list[Row]:
    """Mark all rows as noisy when others kept the machine busy before anything was measured."""
    if before.busy_share <= NOISY_BUSY:
        return list(rows)
    return [one.model_copy(update={"noisy": True}) if one.state == "present" else one for one in rows]


def compared(before: Row, after: Row) -> ComparedRow:
    """Compare two figures of one name; both must have been measured."""
    old, new = before.median or 0.0, after.median or 0.0
    change = gain(old, new, higher=before.better == "higher")
    noise = noise_of(before, after)
    # A tenth of the speed is as far away as ten times it.
    factor = max(1 + change, 1 / (1 + change) if change > -1 else math.inf)
    verdict = "same" if factor - 1 <= noise else "better" if change > 0 else "worse"
    return ComparedRow.model_validate(
        {
            "name": before.name,
            "unit": before.unit,
            "before": old,
            "after": new,
            "change": change,
            "noise": noise,
            "verdict": verdict,
        }
    )


def gain(old: float, new: float, *, higher: bool = True) -> float:
    """Return how much better the new figure is, as a share: speeds are compared, whichever way they are told."""
    fast, slow = (new, old) if higher else (old, new)
    return fast / slow - 1 if slow else 0.0


def noise_of(*rows: Row) -> float:
    """Return the change, as a share, that the spread of figures explains; those marked noisy count twice."""
    spread = math.hypot(*(_share(row) for row in rows)) * _DEVIATIONS
    return max(LEAST_NOISE, spread) * (2 if any(row.noisy for row in rows) else 1)


def gone(before: Row, reason: str) -> ComparedRow:
    """Return what is to be said of a figure that is not measured any more."""
    return ComparedRow(
        name=before.name,
        unit=before.unit,
        before=before.median or 0.0,
        noise=noise_of(before),
        verdict="gone",
        reason=reason,
    )


def _share(row: Row) -> float:
    return (row.mad or 0.0) / abs(row.median) if row.median else 0.0
