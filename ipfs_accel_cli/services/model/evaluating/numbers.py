"""Figures over many items: means, correlations, macro-averaged F1. Pure; numpy does the sums."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the cosine of two vectors, -1 to 1; 0 where one of them is zero. Raises ValueError for other lengths."""
    import numpy

    first, second = numpy.asarray(one, dtype=numpy.float64), numpy.asarray(other, dtype=numpy.float64)
    if first.shape != second.shape:
        raise ValueError(f"a vector of {first.size} numbers cannot be compared with one of {second.size}")
    length = float(numpy.linalg.norm(first) * numpy.linalg.norm(second))
    return float(numpy.clip(first @ second / length, -1.0, 1.0)) if length else 0.0


def pearson(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the linear correlation, -1 to 1; 0 where one side does not vary, for then nothing can be told."""
    import numpy

    first, second = numpy.asarray(one, dtype=numpy.float64), numpy.asarray(other, dtype=numpy.float64)
    first, second = first - first.mean(), second - second.mean()
    spread = float(numpy.sqrt((first @ first) * (second @ second)))
    return float(numpy.clip(first @ second / spread, -1.0, 1.0)) if spread else 0.0


def spearman(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the correlation of ranks; equal values share the mean of their ranks."""
    return pearson(list(ranks(one)), list(ranks(other)))


def ranks(values: Sequence[float]) -> NDArray[numpy.float64]:
    """Return the rank of each value from 1, the mean rank for equal ones."""
    import numpy

    _, place, counts = numpy.unique(numpy.asarray(values, dtype=numpy.float64), return_inverse=True, return_counts=True)
    ends = numpy.cumsum(counts)
    found: NDArray[numpy.float64] = (ends - (counts - 1) / 2)[place]
    return found


def macro_f1(answers: Sequence[str], wanted: Sequence[str]) -> float:
    """Return the mean of the F1 of every label that was answered or wanted; one that was never right counts 0."""
    labels = sorted(set(answers) | set(wanted))
    both = list(zip(answers, wanted, strict=True))
    scores = []
    for label in labels:
        right = sum(answer == label == want for answer, want in both)
        scores.append(2 * right / (sum(a == label for a, _ in both) + sum(w == label for _, w in both)))
    return sum(scores) / len(scores)
