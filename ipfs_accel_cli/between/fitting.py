"""What models are told of hardware and of what was measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.errors import AccelError
from ipfs_accel_cli.engines.identity import machine_id
from ipfs_accel_cli.services.hw.fit.service import Fits
from ipfs_accel_cli.services.hw.fit.speeds import Figure
from ipfs_accel_cli.services.infer.bench.kept import Kept
from ipfs_accel_cli.services.infer.calibrating import Calibrations
from ipfs_accel_cli.services.model.deploy.config import Deployment
from ipfs_accel_cli.services.model.deploy.results import Estimate
from ipfs_accel_cli.services.model.evaluating.perf import Speed

if TYPE_CHECKING:
    pass


def estimated(fits: Fits, folder: Path, config: Deployment) -> Estimate:
    """Say whether a deployment fits this machine, as far as the headers of its files tell."""
    path = folder / config.file if config.file else folder
    device = None if config.device == "auto" else config.device
    try:
        found = fits.fit(
            str(path),
            context=config.context,
            batch=config.parallel or 1,
            dtype=config.dtype,
            kv_dtype=config.kv_dtype,
            device=device,
            limit_bytes=config.memory_limit_bytes,
            strict=False,
        )
    except AccelError as error:
        return Estimate(verdict=f"unknown, because {error.detail}")
    return Estimate(
        fits=found.fits, total_bytes=found.total_bytes, budget_bytes=found.budget_bytes, verdict=found.verdict
    )


def speeds(fits: Fits, database: Database, manifest: str, folder: Callable[[], Path]) -> Iterator[Speed]:
    """Yield what other services measured of a model: runs with statistics, `hw fit --measure`, benchmarks."""
    about: dict[str, object]
    for one in _fitted(fits, folder):
        machine = machine_id() if one.here else one.machine
        name = "increment_bytes" if one.kind == "memory" else one.unit.replace("/", "_")
        about = {"context": one.context, "batch": one.batch}
        yield Speed(machine, one.engine, one.device, one.dtype, name, one.value, one.at, "measured run", about)
    for machine, task, found in Calibrations(database).all(manifest):
        for trial in found.trials:
            if trial.rate is not None:
                about = {"task": task, "threads": trial.threads, "chosen": trial.chosen}
                yield Speed(
                    *(machine, trial.engine, trial.device or "cpu", "", trial.figure, trial.rate),
                    *(found.measured_at, "calibration", about),
                )
    yield from _benched(database, manifest)


def _fitted(fits: Fits, folder: Callable[[], Path]) -> list[Figure]:
    try:
        return fits.measured(folder())
    except AccelError:
        # Whoever measures whether a model fits reads its headers first; of what has none, nothing was ever measured.
        return []


def _benched(database: Database, manifest: str) -> Iterator[Speed]:
    for run, test in Kept(database).of_model(manifest):
        where = (run.machine_id, test.engine, test.device, test.dtype)
        about = {"test": test.test, "threads": test.threads, "run": run.id}
        for row in test.figures:
            if row.median is not None:
                timed = f"{row.name}_s" if row.unit == "seconds" else row.name
                name = row.unit.replace("/", "_") if row.name == "rate" else timed
                yield Speed(*where, name, row.median, run.started_at, "benchmark", about)
        if test.peak_memory_bytes is not None:
            yield Speed(*where, "peak_memory_bytes", test.peak_memory_bytes, run.started_at, "benchmark", about)
