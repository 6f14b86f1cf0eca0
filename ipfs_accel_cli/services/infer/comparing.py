"""Engines asked the same, in turn, so that whatever else the machine does slows all alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import Any

import numpy

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import AccelError, Cancelled
from ipfs_accel_cli.engines.base import Session
from ipfs_accel_cli.services.infer.choice import Choice
from ipfs_accel_cli.services.infer.questions import LONGEST_RUN_SECONDS, Questions, Timed
from ipfs_accel_cli.services.infer.results import Trial

# What is timed is run for about this long.
_SHAPE_SECONDS, _FEWEST_RUNS = 0.25, 2
# With less left beside them, engines are loaded one after the other.
_SPARE_BYTES = 512 << 20


@dataclass(slots=True)
class _Runner:
    """One engine while it is compared: its session, how well it agrees, and its best rates."""

    choice: Choice
    session: Session
    agreement: float
    rates: dict[str, float] = field(default_factory=dict)
    problem: AccelError | None = None


def measure(
    questions: Questions, choices: Sequence[Choice], absent: Sequence[AccelError], load: Callable[[Choice], Session]
) -> list[Trial]:
    """Run each engine for about a second beyond its loading, the first as the reference; return what came of it.

    Engines that fit into memory together take turns. A slow model is asked less, the same for every engine.
    An engine that fails is listed with the reason. Raises what the first raises.
    """
    found: dict[str, Trial] = {}
    reference: Any = None
    timed: Sequence[Timed] = []
    for group in _groups(choices):
        with ExitStack() as stack:
            runners: list[_Runner] = []
            for choice in group:
                current().progress(len(found) + len(runners), len(choices), f"measuring {choice.engine.name}, once")
                try:
                    session = stack.enter_context(closing(load(choice)))
                    answers = questions.answers(session)
                    if reference is None:
                        reference, timed = answers, questions.timed(session)
                    runners.append(_Runner(choice, session, questions.agreement(reference, answers)))
                except Cancelled:
                    raise
                except AccelError as error:
                    if reference is None:
                        raise
                    found[choice.engine.name] = Trial(engine=choice.engine.name, reason=error.detail)
            for one in timed:
                well = [runner for runner in runners if not runner.problem]
                for runner, seconds in zip(well, _in_turn(well, one), strict=True):
                    runner.rates[one.name] = round(one.amount / seconds, 2)
            if runners and runners[0].choice is choices[0] and runners[0].problem is not None:
                raise runners[0].problem
            found |= {runner.choice.engine.name: _trial(runner, questions.overall) for runner in runners}
    trials = [found[choice.engine.name] for choice in choices]
    return trials + [Trial(engine=str(error.context.get("engine", "")), reason=_why(error)) for error in absent]


def _groups(choices: Sequence[Choice]) -> list[list[Choice]]:
    """Return all in one where memory holds them side by side, else each alone."""
    needed = sum(choice.fit.needed_bytes for choice in choices)
    free = min(choice.free_bytes for choice in choices)
    return [list(choices)] if needed + _SPARE_BYTES <= free else [[choice] for choice in choices]


def _trial(runner: _Runner, overall: str) -> Trial:
    if runner.problem is not None:
        return Trial(engine=runner.choice.engine.name, reason=runner.problem.detail)
    plan, rates = runner.choice.plan, runner.rates
    mean = float(numpy.exp(numpy.mean(numpy.log(list(rates.values())))))
    return Trial(
        engine=runner.choice.engine.name,
        device=plan.device,
        threads=plan.threads,
        agreement=round(runner.agreement, 6),
    ).model_copy(update=rates | {overall: round(mean, 2)})


def _in_turn(runners: Sequence[_Runner], timed: Timed) -> list[float]:
    """Return the seconds that each takes, the best of a few runs: what else the machine does only ever slows them."""
    order = list(range(len(runners)))
    best, spent, rounds = [float("inf")] * len(runners), 0.0, 0
    while rounds <= _FEWEST_RUNS or spent < _SHAPE_SECONDS * len(runners):
        for at in order:
            start = time.perf_counter()
            try:
                timed.run(runners[at].session)
            except Cancelled:
                raise
            except AccelError as error:
                runners[at].problem, best[at] = error, LONGEST_RUN_SECONDS
            seconds = time.perf_counter() - start
            spent += seconds
            # The first run warms up; where one run takes all the time there is, that makes no difference.
            if rounds or seconds > LONGEST_RUN_SECONDS:
                best[at] = min(best[at], seconds)
        order = [at for at in reversed(order) if runners[at].problem is None]
        rounds += 1
        if not order:
            break
        if max(best, default=0.0) < float("inf") and spent > 2 * LONGEST_RUN_SECONDS * len(runners):
            break
    return best


def _why(error: AccelError) -> str:
    return f"{error.detail}; {error.suggestion}" if error.suggestion else error.detail
