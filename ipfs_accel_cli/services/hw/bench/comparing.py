"""Comparing two runs: what changed beyond what chance explains. Pure."""

from __future__ import annotations

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.core.figures import Row, compared, gone
from ipfs_accel_cli.core.units import human_bytes
from ipfs_accel_cli.services.hw.bench.results import Compared, Run


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
    lost = [gone(old, reasons.get(name, "")) for name, old in olds.items() if name not in news]
    return Compared(
        before=before.id,
        after=after.id,
        same_machine=before.machine_id == after.machine_id,
        same_effort=_effort(before) == _effort(after),
        regressions=sum(row.verdict in ("worse", "gone") for row in (*rows, *lost)),
        rows=[*rows, *lost],
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


def _present(run: Run) -> dict[str, Row]:
    return {row.name: row for row in run.rows if row.state == "present" and row.median}
