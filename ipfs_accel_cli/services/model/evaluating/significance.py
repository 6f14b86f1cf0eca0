"""Whether one model is better than another on the same items, or merely lucky. Pure, with a fixed seed.

Where an item is right or wrong, McNemar's exact test asks how lopsided the items are on which the two differ (McNemar,
1947). Elsewhere the items are drawn again and again with replacement, and the difference counts when the middle 95 % of
the draws lie on one side of nothing (the percentile bootstrap; Koehn, 2004).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ipfs_accel_cli.services.model.evaluating import judging, numbers
from ipfs_accel_cli.services.model.evaluating.metrics import Metric

Verdict = Literal["better", "worse", "same", "unknown"]

SEED = 20261126
DRAWS = 2000
LEAST_ITEMS = 10
MANY_ITEMS, FEWER_DRAWS = 10_000, 200  # With so many items a draw takes long, and tells more.
LEVEL = 0.05
_RIGHT_OR_WRONG = ("exact", "match", "accuracy", "macro-f1")
_RATIOS = ("wer", "cer", "perplexity", "bits-per-byte")


@dataclass(frozen=True, slots=True)
class Judged:
    """What the paired figures of two models, a and b, tell; None for what this kind of metric has not."""

    low: float | None
    high: float | None
    p: float | None
    better_items: int | None
    worse_items: int | None
    verdict: Verdict
    reason: str | None = None


def judge(metric: Metric, a: Sequence[Any], b: Sequence[Any]) -> Judged:
    """Judge b against a by the figures of the same items in the same order, as `judging.figures` returns them."""
    low, high = interval(metric, a, b)
    better = worse = None
    if metric.name not in ("pearson", "spearman"):
        one, other = [[judging.single(figure) for figure in figures] for figures in (a, b)]
        sign = 1 if metric.higher else -1
        better = sum(sign * (y - x) > 0 for x, y in zip(one, other, strict=True))
        worse = sum(sign * (y - x) < 0 for x, y in zip(one, other, strict=True))
    p = mcnemar(worse or 0, better or 0) if metric.name in _RIGHT_OR_WRONG else None
    if len(a) < LEAST_ITEMS:
        return Judged(low, high, p, better, worse, "unknown", f"fewer than {LEAST_ITEMS} items")
    if p is not None:
        verdict: Verdict = "same" if p >= LEVEL else "better" if (better or 0) > (worse or 0) else "worse"
    else:
        verdict = "same" if low <= 0 <= high else "better" if (low > 0) is metric.higher else "worse"
    return Judged(low, high, p, better, worse, verdict)


def mcnemar(one: int, other: int) -> float:
    """Return the two-sided exact p of so many items on which only one and only the other was right."""
    count, least = one + other, min(one, other)
    tail = sum(math.comb(count, at) for at in range(least + 1))
    return min(1.0, 2 * tail / (1 << count))


def interval(metric: Metric, a: Sequence[Any], b: Sequence[Any], draws: int = DRAWS) -> tuple[float, float]:
    """Return the 95 % interval of b less a by drawing items again; `least-cosine` is judged by the mean cosine."""
    import numpy

    one, other = _statistic(metric, a), _statistic(metric, b)
    generator = numpy.random.default_rng(SEED)
    found = []
    for _ in range(draws if len(a) <= MANY_ITEMS else FEWER_DRAWS):
        places = generator.integers(0, len(a), len(a))
        found.append(other(places) - one(places))
    low, high = numpy.percentile(numpy.array(found), [100 * LEVEL / 2, 100 * (1 - LEVEL / 2)]).tolist()
    return low, high


def _statistic(metric: Metric, figures: Sequence[Any]) -> Callable[[Any], float]:
    """Return what the metric is of the items at some places."""
    import numpy

    if metric.name in _RATIOS:
        errors, sizes = (numpy.array([figure[at] for figure in figures], dtype=float) for at in (0, 1))
        bend: Callable[[float], float] = math.exp if metric.name == "perplexity" else float
        scale = math.log(2) if metric.name == "bits-per-byte" else 1.0
        return lambda at: bend(min(700.0, float(errors[at].sum() / max(1.0, sizes[at].sum()) / scale)))
    if metric.name in ("pearson", "spearman"):
        ours, grades = (numpy.array([figure[at] for figure in figures], dtype=float) for at in (0, 1))
        of = numbers.pearson if metric.name == "pearson" else numbers.spearman
        return lambda at: of(ours[at], grades[at])
    if metric.name == "macro-f1":
        names = {name: at for at, name in enumerate(sorted({name for figure in figures for name in figure}))}
        answers, wanted = (numpy.array([names[figure[at]] for figure in figures]) for at in (0, 1))
        return lambda at: _macro(answers[at], wanted[at], len(names))
    values = numpy.array(figures, dtype=float)
    return lambda at: float(values[at].mean())


def _macro(answers: Any, wanted: Any, labels: int) -> float:
    import numpy

    right = numpy.bincount(wanted[answers == wanted], minlength=labels)
    told = numpy.bincount(answers, minlength=labels) + numpy.bincount(wanted, minlength=labels)
    return float((2 * right[told > 0] / told[told > 0]).mean())
