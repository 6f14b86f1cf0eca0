"""Which engine is fastest for a model on this machine: measured, never guessed from what the processor says it can."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.errors import AccelError
from ipfs_accel_cli.engines.base import EmbedOptions, Scores, Session, Vectors
from ipfs_accel_cli.engines.machine import machine_id
from ipfs_accel_cli.services.infer.choice import Choice
from ipfs_accel_cli.services.infer.results import Trial
from ipfs_accel_cli.tasks import TASKS

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

LEAST_COSINE = 0.999
# Another engine has to be this much faster than the first: below it the difference is noise.
LEAST_GAIN = 1.05
_SHAPES = {"one": (1, 12), "many": (32, 12), "long": (32, 100)}  # texts and words of each
_SHAPE_SECONDS, _FEWEST_RUNS = 0.25, 2
_PACKAGES = ("torch", "transformers", "onnxruntime")
_WORDS = [
    "the",
    "rain",
    "in",
    "spain",
    "stays",
    "mainly",
    "in",
    "the",
    "plain",
    "while",
    "a",
    "small",
    "red",
    "bird",
    "sings",
    "on",
    "the",
    "old",
    "tree",
]


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
        """Return what was measured here with the libraries that are installed now."""
        self._database.migrate(OWNER, MIGRATIONS)
        row = (
            self._database.read()
            .execute(
                "SELECT engine, trials, measured_at FROM infer_calibrations"
                " WHERE machine = ? AND manifest = ? AND task = ? AND versions = ?",
                (machine_id(), manifest, task, versions()),
            )
            .fetchone()
        )
        if row is None:
            return None
        trials = tuple(Trial.model_validate(trial) for trial in json.loads(row["trials"]))
        return Calibration(row["engine"], trials, row["measured_at"])

    def keep(self, manifest: str, task: str, trials: Sequence[Trial]) -> Calibration:
        """Keep a measurement in place of an older one."""
        self._database.migrate(OWNER, MIGRATIONS)
        chosen = next(trial.engine for trial in trials if trial.chosen)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        text = json.dumps([trial.model_dump() for trial in trials])
        with self._database.write() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO infer_calibrations VALUES (?, ?, ?, ?, ?, ?, ?)",
                (machine_id(), manifest, task, versions(), chosen, text, now),
            )
        return Calibration(chosen, tuple(trials), now)


def measure(
    task: str, choices: Sequence[Choice], absent: Sequence[AccelError], load: Callable[[Choice], Session]
) -> list[Trial]:
    """Run each engine for about a second beyond its loading, the first as the reference; return what came of it.

    An engine that fails, or answers otherwise than the first, is listed with the reason and never chosen. Raises what
    the first raises.
    """
    found: list[Trial] = []
    reference: Any = None
    for choice in choices:
        current().progress(len(found), len(choices), f"measuring {choice.engine.name}, once")
        try:
            session = load(choice)
        except AccelError as error:
            if not found:
                raise
            found.append(Trial(engine=choice.engine.name, reason=error.detail))
            continue
        try:
            rows = _answers(session, task)
            reference = rows if reference is None else reference
            found.append(_trial(session, task, choice, _agreement(task, reference, rows)))
        finally:
            session.close()
    found += [Trial(engine=str(error.context.get("engine", "")), reason=_why(error)) for error in absent]
    return chosen(found)


def chosen(trials: Sequence[Trial]) -> list[Trial]:
    """Mark the fastest of those that answer as the first does; the first stays where nothing is clearly faster."""
    able = [trial for trial in trials if trial.texts_s is not None and trial.agreement is not None]
    able = [trial for trial in able if (trial.agreement or 0) >= LEAST_COSINE]
    best = able[0]
    for trial in able[1:]:
        if (trial.texts_s or 0) > (best.texts_s or 0) * (LEAST_GAIN if best is able[0] else 1):
            best = trial
    return [trial.model_copy(update={"chosen": trial is best}) for trial in trials]


def versions() -> str:
    """Name the libraries that decide how fast an engine is."""
    return ", ".join([f"python {platform.python_version()}", *(f"{name} {_version(name)}" for name in _PACKAGES)])


def _trial(session: Session, task: str, choice: Choice, agreement: float) -> Trial:
    rates = {name: _rate(session, task, texts, words) for name, (texts, words) in _SHAPES.items()}
    overall = float(numpy.exp(numpy.mean(numpy.log(list(rates.values())))))
    return Trial(
        engine=choice.engine.name,
        threads=choice.plan.threads,
        one_texts_s=round(rates["one"], 1),
        many_texts_s=round(rates["many"], 1),
        long_texts_s=round(rates["long"], 1),
        texts_s=round(overall, 1),
        agreement=round(agreement, 6),
    )


def _rate(session: Session, task: str, count: int, words: int) -> float:
    """Return texts a second, the best of a few runs: what else the machine does only ever slows them."""
    texts = [" ".join(_WORDS[(at + word) % len(_WORDS)] for word in range(words)) for at in range(count)]
    best, until, runs = 0.0, time.perf_counter() + _SHAPE_SECONDS, 0
    while runs <= _FEWEST_RUNS or time.perf_counter() < until:
        start = time.perf_counter()
        _run(session, task, texts)
        # The first run warms up.
        best = max(best, count / (time.perf_counter() - start)) if runs else best
        runs += 1
    return best


def _answers(session: Session, task: str) -> Any:
    return _run(session, task, [" ".join(_WORDS[:words]) for words in (1, 3, 7, 12, 19)])


def _run(session: Session, task: str, texts: list[str]) -> Any:
    from ipfs_accel_cli.engines.base import Texts

    current().check()
    made = TASKS.load(task)()
    session.submit(made.prepare(Texts(tuple(texts)), EmbedOptions(len(texts))))
    chunks = [chunk for _, chunk in session.step()]
    found: Vectors | Scores = made.collect(chunks)
    return found.rows


def _agreement(task: str, reference: Any, rows: Any) -> float:
    """Return the least cosine of vectors, or 1 less the largest difference of a score."""
    if task == "classify":
        return 1.0 - float(numpy.abs(reference - rows).max())
    lengths = numpy.linalg.norm(reference, axis=1) * numpy.linalg.norm(rows, axis=1)
    return float(((reference * rows).sum(axis=1) / numpy.maximum(lengths, 1e-12)).min())


def _why(error: AccelError) -> str:
    return f"{error.detail}; {error.suggestion}" if error.suggestion else error.detail


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"
