"""Which engine is fastest for a model on this machine: measured, never guessed from what the processor says it can."""

from __future__ import annotations

import json
import platform
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.errors import AccelError, Cancelled
from ipfs_accel_cli.engines.base import Chunk, Session
from ipfs_accel_cli.engines.exchange.text import EmbedOptions, Scores, Texts, Vectors
from ipfs_accel_cli.engines.identity import machine_id
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
_SHORT_WORDS, _LONG_WORDS, _MOST_TEXTS = 12, 100, 32
# A shape is run for about this long; one that would take more than this at once is not run, or with fewer texts.
_SHAPE_SECONDS, _LONGEST_RUN_SECONDS, _FEWEST_RUNS = 0.25, 0.5, 2
_PACKAGES = ("torch", "transformers", "onnxruntime")
_TEXT = "the rain in spain stays mainly in the plain while a small red bird sings on the old tree"
_WORDS = _TEXT.split()


@dataclass(frozen=True, slots=True)
class Shape:
    """So many texts of so many words at a time, under the name that its figure has."""

    name: str
    texts: int
    words: int


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
        try:
            row = self._database.read().execute(query, (machine_id(), manifest, task, versions())).fetchone()
        except sqlite3.OperationalError:
            # Before the first measurement there is no table, and a home that is only read gets none.
            return None
        if row is None:
            return None
        return Calibration(row["engine"], _trials(row["trials"]), row["measured_at"])

    def all(self, manifest: str) -> list[tuple[str, str, Calibration]]:
        """Return (machine, task, what was measured) of a model, under all versions of the libraries; writes nothing."""
        query = "SELECT machine, task, engine, trials, measured_at FROM infer_calibrations WHERE manifest = ?"
        try:
            rows = self._database.read().execute(query, (manifest,)).fetchall()
        except sqlite3.OperationalError:
            return []
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


def measure(
    task: str, choices: Sequence[Choice], absent: Sequence[AccelError], load: Callable[[Choice], Session]
) -> list[Trial]:
    """Run each engine for about a second beyond its loading, the first as the reference; return what came of it.

    A slow model is run with fewer texts, the same for every engine. An engine that fails, or answers otherwise than
    the first, is listed with the reason and never chosen. Raises what the first raises.
    """
    found: list[Trial] = []
    reference: Any = None
    shapes: list[Shape] = []
    for choice in choices:
        current().progress(len(found), len(choices), f"measuring {choice.engine.name}, once")
        try:
            with closing(load(choice)) as session:
                rows = _answers(session, task)
                if reference is None:
                    reference, shapes = rows, _affordable(session, task)
                found.append(_trial(session, task, choice, shapes, _agreement(task, reference, rows)))
        except Cancelled:
            raise
        except AccelError as error:
            if reference is None:
                raise
            found.append(Trial(engine=choice.engine.name, reason=error.detail))
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


def _trials(text: str) -> tuple[Trial, ...]:
    return tuple(Trial.model_validate(trial) for trial in json.loads(text))


def _trial(session: Session, task: str, choice: Choice, shapes: Sequence[Shape], agreement: float) -> Trial:
    rates = {shape.name: round(_rate(session, task, shape), 2) for shape in shapes}
    overall = float(numpy.exp(numpy.mean(numpy.log(list(rates.values())))))
    return Trial(
        engine=choice.engine.name,
        device=choice.plan.device,
        threads=choice.plan.threads,
        one_texts_s=rates["one"],
        many_texts_s=rates.get("many"),
        long_texts_s=rates.get("long"),
        texts_s=round(overall, 2),
        agreement=round(agreement, 6),
    )


def _affordable(session: Session, task: str) -> list[Shape]:
    """Return what can be run in the time there is: one short text always, many and long ones as the model allows."""
    one = Shape("one", 1, _SHORT_WORDS)
    _run(session, task, made_up(one))
    start = time.perf_counter()
    _run(session, task, made_up(one))
    seconds_a_word = (time.perf_counter() - start) / _SHORT_WORDS
    shapes = [one]
    for name, words in (("many", _SHORT_WORDS), ("long", _LONG_WORDS)):
        texts = min(_MOST_TEXTS, int(_LONGEST_RUN_SECONDS / max(seconds_a_word * words, 1e-9)))
        if texts > 1:
            shapes.append(Shape(name, texts, words))
    return shapes


def _rate(session: Session, task: str, shape: Shape) -> float:
    """Return texts a second, the best of a few runs: what else the machine does only ever slows them."""
    texts = made_up(shape)
    best, spent, runs = 0.0, 0.0, 0
    while runs <= _FEWEST_RUNS or spent < _SHAPE_SECONDS:
        start = time.perf_counter()
        _run(session, task, texts)
        seconds = time.perf_counter() - start
        spent, runs = spent + seconds, runs + 1
        # The first run warms up; where one run takes all the time there is, that makes no difference.
        if runs > 1 or seconds > _LONGEST_RUN_SECONDS:
            best = max(best, shape.texts / seconds)
        if best and spent > 2 * _LONGEST_RUN_SECONDS:
            break
    return best


def made_up(shape: Shape) -> list[str]:
    """Return texts of a shape."""
    return [" ".join(_WORDS[(at + word) % len(_WORDS)] for word in range(shape.words)) for at in range(shape.texts)]


def _answers(session: Session, task: str) -> Any:
    return _run(session, task, [" ".join(_WORDS[:words]) for words in (1, 3, 7, 12, 19)])


def _run(session: Session, task: str, texts: list[str]) -> Any:
    current().check()
    made = TASKS.load(task)()
    session.submit(made.prepare(Texts(tuple(texts)), EmbedOptions(len(texts))))
    chunks: list[Chunk] = []
    while moved := session.step():
        chunks += [chunk for _, chunk in moved]
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
