"""Scores of beginnings and ends become answers."""

from __future__ import annotations

import itertools

import numpy
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from ipfs_accel_cli.engines.spans import Reading, best_spans


def offsets(count: int) -> numpy.ndarray:
    return numpy.array([(at * 2, at * 2 + 1) for at in range(count)])


def logits(count: int, start: int, end: int, nothing: float = 0.0) -> numpy.ndarray:
    found = numpy.full((count + 1, 2), -5, dtype=numpy.float32)
    found[0] = nothing
    found[1 + start, 0] = found[1 + end, 1] = 5
    return found


def test_the_likeliest_span_is_found_and_its_likelihood_is_near_one() -> None:
    found = best_spans([Reading(0, logits(6, 2, 3))], offsets(6), top=1, longest=4)
    assert [(span.start, span.end) for span in found.spans] == [(4, 7)]
    assert found.spans[0].score > 0.9 > 0.1 > found.nothing


def test_nothing_is_likelier_where_the_model_says_so() -> None:
    found = best_spans([Reading(0, logits(6, 2, 3, nothing=9.0))], offsets(6), top=1, longest=4)
    assert found.nothing > 0.9 > found.spans[0].score


def test_the_best_of_several_windows_wins() -> None:
    windows = [Reading(0, logits(4, 0, 0, nothing=4.0)), Reading(2, logits(4, 3, 3) * 2)]
    found = best_spans(windows, offsets(6), top=1, longest=4)
    assert (found.spans[0].start, found.windows) == (10, 2)


@given(
    arrays.arrays(numpy.float32, (9, 2), elements=st.floats(-20, 20, width=32)),
    st.integers(1, 5),
    st.integers(1, 12),
)
def test_spans_are_ordered_short_enough_apart_and_no_more_than_certain(
    values: numpy.ndarray, top: int, longest: int
) -> None:
    found = best_spans([Reading(0, values)], offsets(8), top, longest)
    scores = [span.score for span in found.spans]
    assert scores == sorted(scores, reverse=True)
    assert 1 <= len(scores) <= top
    assert found.nothing + sum(scores) <= 1.000001
    spans = sorted((span.start, span.end) for span in found.spans)
    assert all(end - start <= 2 * longest - 1 for start, end in spans)
    assert all(one[1] <= two[0] for one, two in itertools.pairwise(spans))
