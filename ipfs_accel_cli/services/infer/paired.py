"""Two models timed in turn, so that whatever else the machine does slows both alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.engines.base import Request, Session
from ipfs_accel_cli.engines.exchange.text import GenerateOptions, Prompt
from ipfs_accel_cli.services.infer.fidelity import rows
from ipfs_accel_cli.services.infer.questions import Shape, made_up

ENCODING = (Shape("one", 1, 12), Shape("many", 16, 12), Shape("long", 8, 100))
# Words of the prompt; the tokens that follow are counted.
WRITING = (Shape("short prompt", 1, 8), Shape("long prompt", 1, 48))
NEW_TOKENS = 12
_ROUNDS, _SECONDS, _FEWEST_ROUNDS = 9, 2.0, 3

Run = Callable[[Session, Shape], int]


def compare(task: str, reference: Session, other: Session) -> list[dict[str, Any]]:
    """Return for each shape the median rate of both, how far half of the runs spread, and the median of the ratios."""
    shapes, run = shapes_of(task)
    unit = "tokens/s" if task == "generate" else "texts/s"
    found: list[dict[str, Any]] = []
    for wished in shapes:
        shape = _readable(reference, wished) if task == "generate" else wished
        current().progress(len(found), len(shapes), "measuring both in turn")
        before, after = _rounds(run, reference, other, shape)
        ratios = [new / old for old, new in zip(before, after, strict=True)]
        found.append(
            {
                "shape": shape.name,
                "texts": shape.texts,
                "words": shape.words,
                "unit": unit,
                "original": round(statistics.median(before), 2),
                "original_spread": _spread(before),
                "quantized": round(statistics.median(after), 2),
                "quantized_spread": _spread(after),
                "ratio": round(statistics.median(ratios), 3),
                "rounds": len(ratios),
            }
        )
    return found


def shapes_of(task: str) -> tuple[Sequence[Shape], Run]:
    """Return what a model is timed with, and how: the run returns how many texts or tokens were made."""
    if task == "generate":
        return WRITING, _write
    return ENCODING, lambda session, shape: len(rows(session, task, made_up(shape), shape.texts))


def _rounds(run: Run, reference: Session, other: Session, shape: Shape) -> tuple[list[float], list[float]]:
    """Run both alternately; which is first changes, and the first round only warms up."""
    rates: tuple[list[float], list[float]] = ([], [])
    begun = time.perf_counter()
    for number in range(_ROUNDS + 1):
        order = (0, 1) if number % 2 else (1, 0)
        for which in order:
            current().check()
            start = time.perf_counter()
            done = run((reference, other)[which], shape)
            seconds = time.perf_counter() - start
            if number:
                rates[which].append(done / max(seconds, 1e-9))
        if number >= _FEWEST_ROUNDS and time.perf_counter() - begun > _SECONDS:
            break
    return rates


def _readable(session: Session, shape: Shape) -> Shape:
    """Return the shape, shortened until a model with a small context reads it."""
    request = Request("generate", Prompt(made_up(shape)[0]), GenerateOptions(max_tokens=NEW_TOKENS))
    try:
        session.submit(request)
    except Invalid:
        if shape.words == 1:
            raise
        return _readable(session, replace(shape, words=shape.words // 2))
    session.abort(request.id)
    return shape


def _write(session: Session, shape: Shape) -> int:
    readable = _readable(session, shape)
    session.submit(Request("generate", Prompt(made_up(readable)[0]), GenerateOptions(max_tokens=NEW_TOKENS)))
    steps = 0
    while session.step():
        current().check()
        steps += 1
    return steps


def _spread(rates: Sequence[float]) -> float:
    """Return the distance between the quartiles as a part of the median."""
    low, middle, high = statistics.quantiles(rates, n=4)
    return round((high - low) / middle, 3)
