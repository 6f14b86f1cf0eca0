"""Two runs beside each other, figure by figure. Pure."""

from __future__ import annotations

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.core.figures import Row, compared
from ipfs_accel_cli.services.infer.bench.results import InferCompared, InferRun, Test


def compare(before: InferRun, after: InferRun) -> InferCompared:
    """Compare what both runs measured of the same model, task, engine and shape.

    Raises Invalid where they have no figure in common.
    """
    olds, news = _figures(before), _figures(after)
    rows = [
        compared(olds[name].model_copy(update={"name": name}), news[name]).model_copy(update={"name": name})
        for name in olds
        if name in news
    ]
    if not rows:
        raise Invalid(
            f"{before.id} and {after.id} have no figure in common, so nothing is compared",
            suggestion="ipfs-accel infer bench ls",
        )
    return InferCompared(
        before=before.id,
        after=after.id,
        same_machine=before.machine_id == after.machine_id,
        regressions=sum(row.verdict == "worse" for row in rows),
        rows=rows,
        missing=sorted(set(olds) ^ set(news)),
    )


def told(found: InferCompared) -> str:
    """Say in a sentence what is worse."""
    worse = [
        f"{row.name} is {-(row.change or 0):.0%} worse (noise {row.noise:.0%})"
        for row in found.rows
        if row.verdict == "worse"
    ]
    return "; ".join(worse + ([] if found.same_machine else ["the machines differ"]))


def _figures(run: InferRun) -> dict[str, Row]:
    return {f"{_key(test)} {row.name}": row for test in run.tests for row in _all(test) if row.median}


def _key(test: Test) -> str:
    return f"{test.model} {test.engine} {test.device} {test.test}"


def _all(test: Test) -> list[Row]:
    """Return a test's figures; memory and quality have no spread, so only the least noise is allowed for."""
    rows = [row for row in test.figures if row.state == "present" and "-p" not in row.name]
    if test.peak_memory_bytes:
        rows.append(_plain("peak-memory", "bytes", test.peak_memory_bytes, "lower"))
    if test.quality_value:
        lower = test.quality_measure.startswith("perplexity")
        rows.append(_plain("quality", test.quality_measure, test.quality_value, "lower" if lower else "higher"))
    return rows


def _plain(name: str, unit: str, value: float, better: str) -> Row:
    said = {"name": name, "state": "present", "unit": unit, "better": better, "median": value, "mad": 0.0}
    return Row.model_validate({**said, "samples": 1})
