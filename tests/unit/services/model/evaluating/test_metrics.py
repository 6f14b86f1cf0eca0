"""The metrics, beside figures worked out by hand, other libraries' results, and what must hold of any answers."""

from __future__ import annotations

import math

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.services.model.evaluating.metrics import METRICS, score
from ipfs_accel_cli.services.model.evaluating.numbers import ranks
from ipfs_accel_cli.services.model.evaluating.texts import edits, normalised, token_f1

WORDS = st.lists(st.sampled_from(["the", "cat", "Sat", "on", "a", "mat.", "rain", "—"]), max_size=8).map(" ".join)
NUMBERS = st.lists(st.integers(-1000, 1000), min_size=2, max_size=20)


def test_squads_normalisation_drops_case_punctuation_and_articles() -> None:
    assert normalised("  The cat's  A mat, an Übung! ") == "cats mat übung"
    assert normalised("The, a.") == ""


def test_token_f1_is_that_of_squads_script() -> None:
    assert token_f1("the cat sat", "A cat sat on the mat") == pytest.approx(2 * 2 / (2 + 4))
    assert token_f1("cat cat", "cat") == pytest.approx(2 / 3)
    assert (token_f1("the", "a"), token_f1("the", "cat"), token_f1("", "")) == (1, 0, 1)


def test_errors_of_words_are_summed_over_all_texts_before_they_are_divided() -> None:
    answers, wanted = ["the cat sat", "hello"], ["the cat sat on the mat", "hallo"]
    assert score(answers, wanted, "wer") == pytest.approx((3 + 1) / (6 + 1))
    assert score(["abcd"], ["abxd"], "cer") == pytest.approx(1 / 4)
    assert score(["a b c"], [""], "wer") == 3


def test_the_nearest_of_several_accepted_answers_counts() -> None:
    accepted = [["four", "4"]]
    assert score(["4"], accepted, "exact") == score(["Four."], accepted, "match") == score(["4"], accepted, "f1") == 1
    assert score(["5"], accepted, "exact") == 0
    assert score(["4"], accepted, "wer") == 0
    assert score(["b"], [["a", "b"]], "accuracy") == 1


def test_exact_minds_case_but_not_the_form_of_characters_nor_white_space_around_them() -> None:
    assert score([" e\u0301t\u00e9\n", "Yes"], ["\u00e9t\u00e9", "yes"], "exact") == 0.5


def test_macro_f1_counts_rare_labels_as_much_as_common_ones() -> None:
    answers, wanted = ["a", "a", "a", "b"], ["a", "a", "b", "b"]
    assert score(answers, wanted, "macro-f1") == pytest.approx((0.8 + 2 / 3) / 2)
    assert score(["a"] * 9 + ["a"], ["a"] * 9 + ["b"], "macro-f1") == pytest.approx((18 / 19) / 2)


def test_correlations_are_those_of_numpy_and_ranks_share_their_mean() -> None:
    one, other = [1.0, 2.0, 4.0, 8.0], [2.0, 1.0, 5.0, 6.0]
    assert score(one, other, "pearson") == pytest.approx(numpy.corrcoef(one, other)[0, 1])
    assert score(one, other, "spearman") == pytest.approx(0.8)
    assert list(ranks([10, 20, 20, 5])) == [2, 3.5, 3.5, 1]
    assert score(one, [3.0] * 4, "spearman") == 0


def test_cosines_are_of_vectors_of_one_length() -> None:
    assert score([[1, 0], [1, 1]], [[2, 0], [1, 0]], "cosine") == pytest.approx((1 + math.sqrt(0.5)) / 2)
    assert score([[1, 0], [1, 1]], [[2, 0], [1, 0]], "least-cosine") == pytest.approx(math.sqrt(0.5))
    assert score([[0, 0]], [[1, 0]], "cosine") == 0
    with pytest.raises(Invalid, match="2 numbers"):
        score([[1, 0]], [[1, 0, 0]], "cosine")


def test_perplexity_and_bits_weigh_texts_by_their_length() -> None:
    assert score([10 * math.log(4), 30 * math.log(2)], [10, 30], "perplexity") == pytest.approx(2 ** ((20 + 30) / 40))
    assert score([8 * math.log(2)], [4], "bits-per-byte") == pytest.approx(2)


def test_nothing_is_measured_of_nothing_or_by_an_unknown_metric() -> None:
    for answers, wanted in (([], []), (["a"], [])):
        with pytest.raises(Invalid, match="as many"):
            score(answers, wanted, "exact")
    with pytest.raises(Invalid, match="bits-per-byte"):
        score(["a"], ["a"], "bleu")


@given(WORDS)
def test_an_answer_that_is_the_reference_is_perfect(text: str) -> None:
    for name in ("exact", "match", "f1", "accuracy", "macro-f1"):
        assert score([text], [text], name) == 1
    for name in ("wer", "cer"):
        assert score([text], [text], name) == 0


@given(WORDS, WORDS)
def test_shares_lie_between_nothing_and_all_and_exact_is_the_strictest(one: str, other: str) -> None:
    exact, match, f1 = (score([one], [other], name) for name in ("exact", "match", "f1"))
    assert 0 <= exact <= match <= f1 <= 1
    assert f1 == token_f1(other, one)


@given(WORDS, WORDS, WORDS)
def test_edits_are_a_distance(one: str, other: str, third: str) -> None:
    assert (edits(one, other) == 0) == (one == other)
    assert edits(one, other) == edits(other, one) <= max(len(one), len(other))
    assert edits(one, third) <= edits(one, other) + edits(other, third)
    assert edits(one, other) >= abs(len(one) - len(other))


@settings(deadline=None)  # The first example imports numpy.
@given(NUMBERS, st.randoms(use_true_random=False))
def test_a_correlation_does_not_mind_the_order_of_items_nor_the_scale(values: list[int], chance: object) -> None:
    others = [value**3 for value in values]
    if len(set(values)) > 1:
        assert score(values, others, "spearman") == pytest.approx(1)
        assert score(values, [-3 * value + 7 for value in values], "pearson") == pytest.approx(-1)
    places = list(range(len(values)))
    chance.shuffle(places)  # type: ignore[attr-defined]
    again = score([values[at] for at in places], [others[at] for at in places], "pearson")
    assert again == pytest.approx(score(values, others, "pearson"), abs=1e-9)


def test_every_metric_belongs_to_a_task_and_says_which_way_is_better() -> None:
    assert {name for name, metric in METRICS.items() if not metric.higher} == {
        "wer",
        "cer",
        "perplexity",
        "bits-per-byte",
    }
    assert {metric.task for metric in METRICS.values()} == {"generate", "classify", "embed", "score"}
