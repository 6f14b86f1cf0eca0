"""The metrics by name: what each makes of one answer, and of all of them. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.services.model.evaluating import numbers, texts

Task = Literal["generate", "classify", "embed", "score"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of one task.

    `each` makes a figure of one answer and its reference, or a pair: what is summed and what it is divided by. `total`
    makes one of all of them. `bounded` says that an item cannot be better than 1, so that one below it has failed.
    """

    name: str
    task: Task
    each: Callable[[Any, Any], Any]
    total: Callable[[Sequence[Any]], float]
    higher: bool = True
    bounded: bool = False


def score(predictions: Sequence[Any], references: Sequence[Any], metric: str) -> float:
    """Return one figure for many answers.

    For `exact`, `match`, `f1`, `wer` and `cer` a prediction is a text, a reference a text or several accepted ones. For
    `accuracy` and `macro-f1` both are labels, for `cosine` and `least-cosine` vectors, for `pearson` and `spearman`
    numbers. For `perplexity` a prediction is the summed nats of a text and the reference its tokens, for
    `bits-per-byte` its bytes.
    Raises Invalid for an unknown metric, no items at all, or other numbers of them.
    """
    if not predictions or len(predictions) != len(references):
        raise Invalid(f"{metric} needs as many answers as references, and one at least")
    return find(metric).total(each(predictions, references, metric))


def each(predictions: Sequence[Any], references: Sequence[Any], metric: str) -> list[Any]:
    """Return the figure of each item, of which `total` makes one."""
    chosen = find(metric)
    try:
        return [chosen.each(one, other) for one, other in zip(predictions, references, strict=True)]
    except (TypeError, ValueError) as error:
        raise Invalid(f"{metric}: {error}") from error


def find(name: str) -> Metric:
    """Return a metric; raises Invalid for one that is not there."""
    found = METRICS.get(name)
    if found is None:
        raise Invalid(f"no metric {name!r}; there are: {', '.join(METRICS)}")
    return found


def task(name: str) -> Task:
    """Return a task that metrics are of; raises Invalid for another one."""
    found = next((metric.task for metric in METRICS.values() if metric.task == name), None)
    if found is None:
        raise Invalid(f"no metric is of the task {name!r}")
    return found


def mean(values: Sequence[float]) -> float:
    """Return the mean."""
    return math.fsum(values) / len(values)


def _best(compare: Callable[[str, str], float]) -> Callable[[str, str | Sequence[str]], float]:
    def each(answer: str, accepted: str | Sequence[str]) -> float:
        return max(compare(answer, one) for one in _several(accepted))

    return each


def _fewest(count: Callable[[str, str], tuple[int, int]]) -> Callable[[str, str | Sequence[str]], tuple[int, int]]:
    def each(answer: str, accepted: str | Sequence[str]) -> tuple[int, int]:
        return min((count(answer, one) for one in _several(accepted)), key=lambda pair: pair[0] / max(1, pair[1]))

    return each


def _exact(answer: str, accepted: str) -> float:
    return float(texts.plain(answer) == texts.plain(accepted))


def _match(answer: str, accepted: str) -> float:
    return float(texts.normalised(answer) == texts.normalised(accepted))


def _several(accepted: str | Sequence[str]) -> Sequence[str]:
    return [accepted] if isinstance(accepted, str) else accepted


def _ratio(pairs: Sequence[tuple[float, float]]) -> float:
    """Return the sum of all errors over all that could be wrong; over nothing each error counts as one."""
    return math.fsum(pair[0] for pair in pairs) / max(1, math.fsum(pair[1] for pair in pairs))


def _perplexity(pairs: Sequence[tuple[float, float]]) -> float:
    return math.exp(min(_ratio(pairs), 700.0))  # Beyond that a float64 overflows.


def _bits(pairs: Sequence[tuple[float, float]]) -> float:
    return _ratio(pairs) / math.log(2)


def _macro(pairs: Sequence[tuple[str, str]]) -> float:
    return numbers.macro_f1(*map(list, zip(*pairs, strict=True)))


def _pair(one: Any, other: Any) -> tuple[Any, Any]:
    return one, other


def _correlation(of: Callable[[Sequence[float], Sequence[float]], float]) -> Callable[[Sequence[Any]], float]:
    return lambda pairs: of(*map(list, zip(*pairs, strict=True)))


METRICS = {
    metric.name: metric
    for metric in (
        Metric("exact", "generate", _best(_exact), mean, bounded=True),
        Metric("match", "generate", _best(_match), mean, bounded=True),
        Metric("f1", "generate", _best(texts.token_f1), mean, bounded=True),
        Metric("wer", "generate", _fewest(texts.word_errors), _ratio, higher=False),
        Metric("cer", "generate", _fewest(texts.character_errors), _ratio, higher=False),
        Metric("accuracy", "classify", _best(lambda a, b: float(a == b)), mean, bounded=True),
        Metric("macro-f1", "classify", _pair, _macro),
        Metric("cosine", "embed", numbers.cosine, mean),
        Metric("least-cosine", "embed", numbers.cosine, min),
        Metric("pearson", "embed", _pair, _correlation(numbers.pearson)),
        Metric("spearman", "embed", _pair, _correlation(numbers.spearman)),
        Metric("perplexity", "score", _pair, _perplexity, higher=False),
        Metric("bits-per-byte", "score", _pair, _bits, higher=False),
    )
}  # fmt: skip
