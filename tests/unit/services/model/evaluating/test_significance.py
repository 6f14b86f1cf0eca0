"""Luck is told from skill: known p-values, and verdicts on differences that are there or not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipfs_accel_cli.services.model.evaluating.metrics import METRICS
from ipfs_accel_cli.services.model.evaluating.significance import interval, judge, mcnemar

FIGURES = st.lists(st.floats(0, 1), min_size=10, max_size=30)


def test_mcnemars_p_is_that_of_a_fair_coin() -> None:
    assert mcnemar(0, 0) == mcnemar(3, 3) == 1
    assert mcnemar(0, 5) == pytest.approx(2 / 32)
    assert mcnemar(10, 2) == pytest.approx(0.0385742, abs=1e-7)
    assert 0 < mcnemar(0, 5000) < 1e-300 or mcnemar(0, 5000) == 0


def test_a_model_right_where_the_other_is_wrong_is_better_and_the_other_way_round_worse() -> None:
    weak, strong = [0.0] * 12 + [1.0] * 20, [1.0] * 30 + [0.0] * 2
    found = judge(METRICS["accuracy"], weak, strong)
    assert (found.verdict, found.better_items, found.worse_items) == ("better", 12, 2)
    assert judge(METRICS["accuracy"], strong, weak).verdict == "worse"
    assert judge(METRICS["accuracy"], [0.0, 1.0] * 10, [1.0, 0.0] * 10).verdict == "same"


def test_less_is_better_where_errors_are_counted() -> None:
    many, few = [(4, 10), (5, 10), (3, 10)] * 5, [(1, 10), (2, 10), (0, 10)] * 5
    assert judge(METRICS["wer"], many, few).verdict == "better"
    assert judge(METRICS["wer"], few, many).verdict == "worse"
    assert judge(METRICS["perplexity"], many, few).verdict == "better"
    assert judge(METRICS["bits-per-byte"], few, few).verdict == "same"


def test_of_a_handful_of_items_nothing_is_claimed() -> None:
    found = judge(METRICS["f1"], [0.0] * 9, [1.0] * 9)
    assert (found.verdict, found.reason) == ("unknown", "fewer than 10 items")


def test_correlations_and_labels_are_compared_by_drawing_items_again() -> None:
    grades = [float(at) for at in range(20)]
    good, bad = list(zip(grades, grades, strict=True)), [(float(at * 7 % 20), grade) for at, grade in enumerate(grades)]
    assert judge(METRICS["spearman"], bad, good).verdict == "better"
    assert judge(METRICS["pearson"], good, bad).verdict == "worse"
    labels = [("a", "a"), ("b", "b")] * 10
    low, high = interval(METRICS["macro-f1"], labels, labels)
    assert (low, high) == (0, 0)


@settings(max_examples=10, deadline=None)
@given(FIGURES)
def test_a_model_is_never_better_than_itself(figures: list[float]) -> None:
    for name in ("f1", "cosine", "accuracy"):
        assert judge(METRICS[name], figures, figures).verdict == "same"


def test_the_same_figures_always_give_the_same_interval() -> None:
    a, b = [at / 30 for at in range(30)], [(at * 7 % 30) / 29 for at in range(30)]
    assert interval(METRICS["f1"], a, b) == interval(METRICS["f1"], a, b)
