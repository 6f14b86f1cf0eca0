"""Comparing two runs: what changed beyond what chance explains. Pure."""

from __future__ import annotations

import math

from ipfs_accel_cli.services.hw.bench.results import Compared, ComparedRow, Row, Run

# Of a normal distribution the standard deviation is 1.4826 MAD; three of them leave chance one case in 370.
_DEVIATIONS = 3 * 1.4826
# Runs of the same machine on different days differ by so much even when each of them is steady.
LEAST_NOISE = 0.05


def compare(before: Run, after: Run) -> Compared:
    """Put the rows of two runs beside each other by name; a row is worse when it lost more than the noise."""
    olds, news = _present(before), _present(after)
    rows = [compared(olds[name], news[name]) for name in olds if name in news]
    return Compared(
        before=before.id,
        after=after.id,
        same_machine=before.machine_id == after.machine_id,
        same_effort=(before.quick, before.size_bytes) == (after.quick, after.size_bytes),
        regressions=sum(row.verdict == "worse" for row in rows),
        rows=rows,
        missing=sorted(set(olds) ^ set(news)),
    )


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


def _share(row: Row) -> float:
    return (row.mad or 0.0) / abs(row.median) if row.median else 0.0


def _present(run: Run) -> dict[str, Row]:
    return {row.name: row for row in run.rows if row.state == "present" and row.median}
