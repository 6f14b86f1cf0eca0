"""Engines over texts of several shapes, in turn, so that whatever else the machine does slows all alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from typing import Any

import numpy

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import AccelError, Cancelled
from ipfs_accel_cli.engines.base import Chunk, Loadable, Session
from ipfs_accel_cli.engines.exchange.text import EmbedOptions, RewriteOptions, Texts
from ipfs_accel_cli.engines.samples import SAMPLES, example, same_words
from ipfs_accel_cli.services.infer.choice import Choice
from ipfs_accel_cli.services.infer.results import Trial
from ipfs_accel_cli.tasks import TASKS

_SHORT_WORDS, _LONG_WORDS, _MOST_TEXTS = 12, 100, 32
# A shape is run for about this long; one that would take more than this at once is not run, or with fewer texts.
_SHAPE_SECONDS, _LONGEST_RUN_SECONDS, _FEWEST_RUNS = 0.25, 0.5, 2
# With less left beside them, engines are loaded one after the other.
_SPARE_BYTES = 512 << 20
# Of each text that is written.
_MOST_TOKENS = 32
_TEXT = "the rain in spain stays mainly in the plain while a small red bird sings on the old tree"
_WORDS = _TEXT.split()
_WRITING = frozenset({"translate", "summarize"})


@dataclass(frozen=True, slots=True)
class Shape:
    """So many texts of so many words at a time, under the name that its figure has."""

    name: str
    texts: int
    words: int


@dataclass(slots=True)
class _Runner:
    """One engine while it is compared: its session, how well it agrees, and its best rate for each shape."""

    choice: Choice
    session: Session
    agreement: float
    rates: dict[str, float] = field(default_factory=dict)
    problem: AccelError | None = None


@dataclass(frozen=True, slots=True)
class Asking:
    """What is asked of every engine: a task, and for one that writes texts how, such as in which languages."""

    task: str
    rewriting: RewriteOptions | None = None

    def options(self, texts: int) -> EmbedOptions | RewriteOptions:
        """Return the options for so many texts at once."""
        return EmbedOptions(texts) if self.rewriting is None else replace(self.rewriting, batch=texts)


def asking(model: Loadable, task: str) -> Asking:
    """Return what to ask of a model for a task."""
    return Asking(task, example(model.folder, task, _MOST_TOKENS) if task in _WRITING else None)


def measure(
    task: Asking, choices: Sequence[Choice], absent: Sequence[AccelError], load: Callable[[Choice], Session]
) -> list[Trial]:
    """Run each engine for about a second beyond its loading, the first as the reference; return what came of it.

    Engines that fit into memory together take turns. A slow model is run with fewer texts, the same for every engine.
    An engine that fails is listed with the reason. Raises what the first raises.
    """
    found: dict[str, Trial] = {}
    reference: Any = None
    shapes: list[Shape] = []
    for group in _groups(choices):
        with ExitStack() as stack:
            runners: list[_Runner] = []
            for choice in group:
                current().progress(len(found) + len(runners), len(choices), f"measuring {choice.engine.name}, once")
                try:
                    session = stack.enter_context(closing(load(choice)))
                    rows = _answers(session, task)
                    if reference is None:
                        reference, shapes = rows, _affordable(session, task)
                    runners.append(_Runner(choice, session, _agreement(task, reference, rows)))
                except Cancelled:
                    raise
                except AccelError as error:
                    if reference is None:
                        raise
                    found[choice.engine.name] = Trial(engine=choice.engine.name, reason=error.detail)
            for shape in shapes:
                sound = [runner for runner in runners if not runner.problem]
                for runner, seconds in zip(sound, _in_turn(sound, task, shape), strict=True):
                    runner.rates[shape.name] = round(shape.texts / seconds, 2)
            if runners and runners[0].choice is choices[0] and runners[0].problem is not None:
                raise runners[0].problem
            found |= {runner.choice.engine.name: _trial(runner) for runner in runners}
    trials = [found[choice.engine.name] for choice in choices]
    return trials + [Trial(engine=str(error.context.get("engine", "")), reason=_why(error)) for error in absent]


def made_up(shape: Shape) -> list[str]:
    """Return texts of a shape."""
    return [" ".join(_WORDS[(at + word) % len(_WORDS)] for word in range(shape.words)) for at in range(shape.texts)]


def _groups(choices: Sequence[Choice]) -> list[list[Choice]]:
    """Return all in one where memory holds them side by side, else each alone."""
    needed = sum(choice.fit.needed_bytes for choice in choices)
    free = min(choice.free_bytes for choice in choices)
    return [list(choices)] if needed + _SPARE_BYTES <= free else [[choice] for choice in choices]


def _trial(runner: _Runner) -> Trial:
    if runner.problem is not None:
        return Trial(engine=runner.choice.engine.name, reason=runner.problem.detail)
    rates, plan = runner.rates, runner.choice.plan
    overall = float(numpy.exp(numpy.mean(numpy.log(list(rates.values())))))
    return Trial(
        engine=runner.choice.engine.name,
        device=plan.device,
        threads=plan.threads,
        one_texts_s=rates["one"],
        one_long_texts_s=rates.get("one long"),
        many_texts_s=rates.get("many"),
        long_texts_s=rates.get("long"),
        texts_s=round(overall, 2),
        agreement=round(runner.agreement, 6),
    )


def _affordable(session: Session, task: Asking) -> list[Shape]:
    """Return what can be run in the time there is: one short text always, many and long ones as the model allows."""
    one = Shape("one", 1, _SHORT_WORDS)
    _run(session, task, made_up(one))
    start = time.perf_counter()
    _run(session, task, made_up(one))
    seconds_a_word = (time.perf_counter() - start) / _SHORT_WORDS
    shapes = [one]
    if seconds_a_word * _LONG_WORDS <= _LONGEST_RUN_SECONDS:
        shapes.append(Shape("one long", 1, _LONG_WORDS))
    for name, words in (("many", _SHORT_WORDS), ("long", _LONG_WORDS)):
        texts = min(_MOST_TEXTS, int(_LONGEST_RUN_SECONDS / max(seconds_a_word * words, 1e-9)))
        if texts > 1:
            shapes.append(Shape(name, texts, words))
    return shapes


def _in_turn(runners: Sequence[_Runner], task: Asking, shape: Shape) -> list[float]:
    """Return the seconds that each takes, the best of a few runs: what else the machine does only ever slows them."""
    texts, order = made_up(shape), list(range(len(runners)))
    best, spent, rounds = [float("inf")] * len(runners), 0.0, 0
    while rounds <= _FEWEST_RUNS or spent < _SHAPE_SECONDS * len(runners):
        for at in order:
            start = time.perf_counter()
            try:
                _run(runners[at].session, task, texts)
            except Cancelled:
                raise
            except AccelError as error:
                runners[at].problem, best[at] = error, _LONGEST_RUN_SECONDS
            seconds = time.perf_counter() - start
            spent += seconds
            # The first run warms up; where one run takes all the time there is, that makes no difference.
            if rounds or seconds > _LONGEST_RUN_SECONDS:
                best[at] = min(best[at], seconds)
        order = [at for at in reversed(order) if runners[at].problem is None]
        rounds += 1
        if not order:
            break
        if max(best, default=0.0) < float("inf") and spent > 2 * _LONGEST_RUN_SECONDS * len(runners):
            break
    return best


def _answers(session: Session, task: Asking) -> Any:
    if task.rewriting is not None:
        return _run(session, task, list(SAMPLES))
    return _run(session, task, [" ".join(_WORDS[:words]) for words in (1, 3, 7, 12, 19)])


def _run(session: Session, task: Asking, texts: list[str]) -> Any:
    """Return vectors or scores, a row a text, or the texts that are written."""
    current().check()
    made = TASKS.load(task.task)()
    session.submit(made.prepare(Texts(tuple(texts)), task.options(len(texts))))
    chunks: list[Chunk] = []
    while moved := session.step():
        chunks += [chunk for _, chunk in moved]
    found = made.collect(chunks)
    return found.rows if task.rewriting is None else [one.text for one in found]


def _agreement(task: Asking, reference: Any, answers: Any) -> float:
    """Return the least cosine of vectors, 1 less the largest difference of a score, or the share of the same words."""
    if task.rewriting is not None:
        return same_words(reference, answers)
    if task.task == "classify":
        return 1.0 - float(numpy.abs(reference - answers).max())
    lengths = numpy.linalg.norm(reference, axis=1) * numpy.linalg.norm(answers, axis=1)
    return float(((reference * answers).sum(axis=1) / numpy.maximum(lengths, 1e-12)).min())


def _why(error: AccelError) -> str:
    return f"{error.detail}; {error.suggestion}" if error.suggestion else error.detail
