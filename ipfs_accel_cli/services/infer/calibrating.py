"""Which engine is fastest for a model on this machine: measured, never guessed from what the processor says it can."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.engines.identity import machine_id
from ipfs_accel_cli.services.infer.results import Trial

OWNER = "infer"
MIGRATIONS = (
    (
        "1-calibrations",
        """
        CREATE TABLE infer_calibrations (
            machine TEXT NOT NULL, manifest TEXT NOT NULL, task TEXT NOT NULL, versions TEXT NOT NULL,
            engine TEXT NOT NULL, trials TEXT NOT NULL, measured_at TEXT NOT NULL,
            PRIMARY KEY (machine, manifest, task, versions)
        ) WITHOUT ROWID;
        """,
    ),
)

# What `auto` takes unless told otherwise: 8 bits where they answer nearly alike. At 1 only what agrees to six decimals.
LEAST_QUALITY = 0.99
# Another engine has to be this much faster than the first: below it the difference is noise.
LEAST_GAIN = 1.05
_PACKAGES = ("torch", "transformers", "onnxruntime", "openvino", "ctranslate2")


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was measured, and the engine that came of it."""

    engine: str
    trials: tuple[Trial, ...]
    measured_at: str


class Calibrations:
    """The measurements that are kept, by machine, model, task and versions of the libraries."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, manifest: str, task: str) -> Calibration | None:
        """Return what was measured here with the libraries that are installed now; writes nothing."""
        query = (
            "SELECT engine, trials, measured_at FROM infer_calibrations"
            " WHERE machine = ? AND manifest = ? AND task = ? AND versions = ?"
        )
        rows = self._database.rows(query, (machine_id(), manifest, task, versions()))
        if not rows:
            return None
        row = rows[0]
        return Calibration(row["engine"], _trials(row["trials"]), row["measured_at"])

    def all(self, manifest: str) -> list[tuple[str, str, Calibration]]:
        """Return (machine, task, what was measured) of a model, under all versions of the libraries; writes nothing."""
        query = "SELECT machine, task, engine, trials, measured_at FROM infer_calibrations WHERE manifest = ?"
        rows = self._database.rows(query, (manifest,))
        return [
            (row["machine"], row["task"], Calibration(row["engine"], _trials(row["trials"]), row["measured_at"]))
            for row in rows
        ]

    def keep(self, manifest: str, task: str, trials: Sequence[Trial]) -> Calibration:
        """Keep a measurement in place of an older one; raises HomeUnusable where nothing can be written."""
        found = of_trials(trials)
        self._database.migrate(OWNER, MIGRATIONS)
        text = json.dumps([trial.model_dump() for trial in trials])
        with self._database.write() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO infer_calibrations VALUES (?, ?, ?, ?, ?, ?, ?)",
                (machine_id(), manifest, task, versions(), found.engine, text, found.measured_at),
            )
        return found


def of_trials(trials: Sequence[Trial]) -> Calibration:
    """Return what was measured just now."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Calibration(next(trial.engine for trial in trials if trial.chosen), tuple(trials), now)


def chosen(trials: Sequence[Trial], least: float = LEAST_QUALITY) -> list[Trial]:
    """Mark the fastest of those that answer as the first does; the first stays where nothing is clearly faster.

    `least` is the least agreement that is taken; an engine that was measured and is not taken for it says so.
    """
    measured = [trial for trial in trials if trial.rate is not None and trial.agreement is not None]
    able = [trial for at, trial in enumerate(measured) if at == 0 or (trial.agreement or 0) >= least]
    best = able[0]
    for trial in able[1:]:
        if (trial.rate or 0) > (best.rate or 0) * (LEAST_GAIN if best is able[0] else 1):
            best = trial
    found = []
    for trial in trials:
        below = trial.agreement is not None and trial not in able
        reason = f"agreement {trial.agreement:.4f} is below {least:g} (infer.min-quality)" if below else trial.reason
        found.append(trial.model_copy(update={"chosen": trial is best, "reason": reason}))
    return found


def still_chosen(found: Calibration, least: float) -> str:
    """Return the engine that was chosen; where less agreement was taken then than is now, the one chosen now."""
    trial = next((trial for trial in found.trials if trial.engine == found.engine), None)
    if trial is None or trial.agreement is None or trial.agreement >= least:
        return found.engine
    return of_trials(chosen(found.trials, least)).engine


def versions() -> str:
    """Name the libraries that decide how fast an engine is."""
    return ", ".join([f"python {platform.python_version()}", *(f"{name} {_version(name)}" for name in _PACKAGES)])


def _trials(text: str) -> tuple[Trial, ...]:
    return tuple(Trial.model_validate(trial) for trial in json.loads(text))


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"
