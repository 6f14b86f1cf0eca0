"""Evaluation sets: what a line may be, and what is said of one that is not that; thresholds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipfs_accel_cli.core.errors import Invalid, NotFound
from ipfs_accel_cli.services.model.evaluating import sets, thresholds
from ipfs_accel_cli.services.model.evaluating.judging import chosen
from ipfs_accel_cli.services.model.evaluating.sets import Item


def test_a_line_has_an_input_under_one_of_three_names_and_one_of_five_expectations() -> None:
    assert sets.item({"input": "a", "expected": "b"}, "1") == Item("1", "a", accepted=("b",))
    assert sets.item({"text": "a", "expected": ["b", "c"], "id": 7}, "1") == Item("7", "a", accepted=("b", "c"))
    assert sets.item({"prompt": "a", "expected": [1, 0.5]}, "1") == Item("1", "a", vector=(1.0, 0.5))
    assert sets.item({"input": "a", "expected": ["b", 4.5]}, "1") == Item("1", "a", other="b", grade=4.5)
    assert sets.item({"input": ["a", "b"], "expected": 0}, "1") == Item("1", "a", other="b", grade=0.0)
    assert sets.item({"input": "a", "note": "more is allowed"}, "3") == Item("3", "a")


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (["a"], "JSON object"),
        ({}, "none"),
        ({"input": "a", "text": "b"}, "input and text"),
        ({"input": 3}, "a text, or a pair"),
        ({"input": "a", "expected": {}}, "expected is"),
        ({"input": "a", "expected": []}, "expected is"),
        ({"input": "a", "expected": [1, "b"]}, "expected is"),
        ({"input": "a", "expected": True}, "expected is"),
        ({"input": ["a", "b"], "expected": "c"}, "a number"),
        ({"input": "a", "id": None}, "an id"),
    ],
)
def test_another_line_is_refused_with_the_reason(value: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        sets.item(value, "1")


def test_a_bad_line_is_named_before_a_model_is_asked(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text('{"input": "a"}\n\n{"input": }\n')
    with pytest.raises(Invalid, match=r"set\.jsonl:3"):
        sets.read(path)
    path.write_text("\n")
    with pytest.raises(Invalid, match="no item"):
        sets.read(path)
    path.write_text('{"input": "a", "id": 2}\n{"input": "b"}\n')
    with pytest.raises(Invalid, match="twice"):
        sets.read(path)
    path.write_bytes(b'{"input": "\xff"}\n')
    with pytest.raises(Invalid, match=":1"):
        sets.read(path)
    with pytest.raises(NotFound):
        sets.read(tmp_path / "nothing.jsonl")


ANSWERS = st.one_of(st.text(), st.lists(st.floats(-1, 1), min_size=1, max_size=4))


@settings(max_examples=50)
@given(st.lists(st.tuples(st.text(), ANSWERS), min_size=1, max_size=4))
def test_recorded_answers_are_read_again_as_what_is_expected(pairs: list[tuple[str, Any]]) -> None:
    for at, (text, answer) in enumerate(pairs):
        written = sets.line(Item(str(at), text), answer)
        assert written.count("\n") == 1
        read = sets.item(json.loads(written), "other")
        assert (read.id, read.text) == (str(at), text)
        assert read.accepted == (answer,) if isinstance(answer, str) else list(read.vector) == answer


def test_a_threshold_is_a_metric_a_comparison_and_a_number() -> None:
    bound = thresholds.parse(" f1 >= 0.8 ")
    assert (str(bound), bound.met(0.8), bound.met(0.79)) == ("f1>=0.8", True, False)
    assert thresholds.parse("wer<0.1").met(0.1) is False
    for text in ("f1", "f1=0.8", "f1>=much", "f1>=nan", ">=1"):
        with pytest.raises(Invalid):
            thresholds.parse(text)
    with pytest.raises(Invalid, match="no metric 'f2'"):
        thresholds.parse("f2>=0.5")


def test_metrics_suit_the_models_task_and_what_the_items_expect() -> None:
    label, alone, pair = Item("1", "a", accepted=("b",)), Item("2", "a"), Item("3", "a", other="b", grade=1.0)
    assert [one.name for one in chosen([], ["classify"], [label])] == ["accuracy", "macro-f1"]
    assert [one.name for one in chosen([], ["embed"], [pair])] == ["spearman", "pearson"]
    assert [one.name for one in chosen([], ["embed"], [label])] == ["cosine", "least-cosine"]
    assert [one.name for one in chosen([], ["generate"], [label])] == ["exact", "match", "f1"]
    assert [one.name for one in chosen([], ["generate"], [alone])] == ["perplexity", "bits-per-byte"]
    with pytest.raises(Invalid, match="'2' has no expected label"):
        chosen([], ["classify"], [label, alone])
    with pytest.raises(Invalid, match="one task at a time"):
        chosen(["f1", "perplexity"], ["generate"], [label])
    with pytest.raises(Invalid, match="no metric is known"):
        chosen([], ["transcribe"], [label])
