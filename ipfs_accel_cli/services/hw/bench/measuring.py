"""Repeated measurements: a warm-up, then samples until there are enough or the time is up; their median and spread."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.core.figures import Better, Row, row
from ipfs_accel_cli.core.units import human_bytes, parse_bytes

MOST_SAMPLES = 1000
LARGEST_BYTES = 64 << 30
_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard to measure: samples of each figure, the seconds that it may take, and how much data to move.

    `size_bytes` is what somebody asked to be moved, whatever the scale.
    """

    samples: int = 7
    seconds: float = 4.0
    scale: float = 1.0
    size_bytes: int | None = None

    def bytes(self, usual: int) -> int:
        """Return how many bytes to move where `usual` are usual: a whole number of MiB."""
        return self.size_bytes or max(_MIB, int(usual * self.scale) // _MIB * _MIB)


QUICK = Effort(samples=3, seconds=0.25, scale=0.0625)


def effort(*, quick: bool, repeat: int | None, size: str | None) -> Effort:
    """Return the effort that was asked for; raises Invalid for a size or a number of samples out of bounds."""
    found = QUICK if quick else Effort()
    if repeat is not None:
        if not 2 <= repeat <= MOST_SAMPLES:
            raise Invalid(f"a figure has 2 to {MOST_SAMPLES} samples, not {repeat}: a spread needs two")
        found = replace(found, samples=repeat, seconds=math.inf)
    if size is not None:
        size_bytes = parse_bytes(size) // _MIB * _MIB
        if not _MIB <= size_bytes <= LARGEST_BYTES:
            raise Invalid(f"--size {size} is not between 1MiB and {human_bytes(LARGEST_BYTES)}")
        found = replace(found, size_bytes=size_bytes)
    return found


def held(kind: str, what: str, needed_bytes: int, free_bytes: int, where: str) -> None:
    """Raise Invalid unless there is room for what a size that was asked for needs."""
    if needed_bytes > free_bytes:
        raise Invalid(
            f"{what} need {human_bytes(needed_bytes)} of {where}, and {human_bytes(free_bytes)} are free",
            suggestion=f"ipfs-accel hw bench {kind} --size 64MiB",
        )


def measured(name: str, unit: str, work: Callable[[], float], effort: Effort, better: Better = "higher") -> Row:
    """Call `work`, which returns one figure, once for nothing and then again and again."""
    work()
    samples: list[float] = []
    end = time.perf_counter() + effort.seconds
    while len(samples) < effort.samples and (len(samples) < 2 or time.perf_counter() < end):
        current().check()
        samples.append(work())
    return row(name, unit, samples, better)


def rate(amount: float, work: Callable[[], object]) -> Callable[[], float]:
    """Return work that does `work` and gives `amount` a second."""

    def once() -> float:
        start = time.perf_counter()
        work()
        return amount / max(time.perf_counter() - start, 1e-9)

    return once


def smaller(effort: Effort, available_bytes: int | None) -> Effort:
    """Return an effort that moves no more than a machine with so much free memory can hold."""
    if available_bytes is None or available_bytes > 4 << 30:
        return effort
    return replace(effort, scale=effort.scale * max(available_bytes / (4 << 30), 1 / 64))
