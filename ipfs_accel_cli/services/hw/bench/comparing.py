"""Comparing two runs: what changed beyond what chance explains. Pure."""

from __future__ import annotations

import math

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.core.units import human_bytes
from ipfs_accel_cli.services.hw.bench.results import Compared, ComparedRow, Row, Run

# Of a normal distribution the standard deviation is 1.4826 MAD; three of them leave chance one case in 370.
_DEVIATIONS = 3 * 1.4826
# Runs of the same machine on different days differ by so much even when each of them is steady.
LEAST_NOISE = 0.05


def compare(before: Run, after: Run) -> Compared:
    """Put the rows of two runs beside each other by name.

    A row is worse when it lost more than the noise, or gone when only the first run measured it. Raises Invalid where
    the runs have no figure in common.
    """
    olds, news = _present(before), _present(after)
    rows = [compared(olds[name], news[name]) for name in olds if name in news]
    if not rows:
        raise Invalid(
            f"{before.id} ({before.kind}) and {after.id} ({after.kind}) have no figure in common, so nothing is"
            " compared",
            suggestion="ipfs-accel hw bench ls",
        )
    reasons = {row.name: row.reason for row in after.rows}
    gone = [_gone(old, reasons.get(name, "")) for name, old in olds.items() if name not in news]
    return Compared(
        before=before.id,
        after=after.id,
        same_machine=before.machine_id == after.machine_id,
        same_effort=_effort(before) == _effort(after),
        regressions=sum(row.verdict in ("worse", "gone") for row in (*rows, *gone)),
        rows=[*rows, *gone],
        missing=sorted(set(olds) ^ set(news)),
    )


def told(before: Run, after: Run, found: Compared) -> str:
    """Say in a sentence what is worse, and whether another machine or effort may be why."""
    worse = [
        f"{row.name} is {-(row.change or 0):.0%} slower (noise {row.noise:.0%})"
        for row in found.rows
        if row.verdict == "worse"
    ]
    gone = [
        f"{row.name} was {row.was} and is not measured any more" + (f": {row.reason}" if row.reason else "")
        for row in found.rows
        if row.verdict == "gone"
    ]
    other = [] if found.same_machine else [f"the machines differ: {before.machine}, then {after.machine}"]
    if not found.same_effort:
        other.append(f"the effort differs: {_asked(before)}, then {_asked(after)}")
    return "; ".join([*worse, *gone, *other])


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


def _gone(before: Row, reason: str) -> ComparedRow:
    return ComparedRow(
        name=before.name,
        unit=before.unit,
        before=before.median or 0.0,
        noise=noise_of(before),
        verdict="gone",
        reason=reason,
    )


def _effort(run: Run) -> tuple[object, ...]:
    return run.quick, run.repeat, run.size_bytes


def _asked(run: Run) -> str:
    """Return the options that a run was asked with."""
    asked = [
        *(["--quick"] if run.quick else []),
        *([f"--repeat {run.repeat}"] if run.repeat else []),
        *([f"--size {human_bytes(run.size_bytes)}"] if run.size_bytes else []),
    ]
    return " ".join(asked) or "the usual"


def _share(row: Row) -> float:
    return (row.mad or 0.0) / abs(row.median) if row.median else 0.0


def _present(run: Run) -> dict[str, Row]:
    return {row.name: row for row in run.rows if row.state == "present" and row.median}
