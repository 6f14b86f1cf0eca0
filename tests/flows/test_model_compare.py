"""Models side by side on the same items, and what was measured of them over time."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.errors import Invalid, NotFound, NotGoodEnough
from ipfs_accel_cli.services.model.evaluating.perf import since_when
from ipfs_accel_cli.services.model.evaluating.wanted import Wanted
from tests.conformance import tiny_models

pytestmark = pytest.mark.models

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
TEXTS = [f"{one} {other} sat" for one in tiny_models.WORDS[:6] for other in tiny_models.WORDS[8:12]]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classifiers: one as it is, and one that says something else of every text."""
    folder = tmp_path_factory.mktemp("models")
    tiny_models.classifier(folder / "base")
    tiny_models.classifier(folder / "turned")
    config = json.loads((folder / "turned/config.json").read_text())
    config["id2label"] = {"0": "bad", "1": "odd", "2": "good"}
    config["label2id"] = {"bad": 0, "odd": 1, "good": 2}
    (folder / "turned/config.json").write_text(json.dumps(config))
    tiny_models.decoder(folder / "decoder")
    return folder


@pytest.fixture
def two(node: Node, models: Path, tmp_path: Path) -> tuple[Node, Path]:
    for name in ("base", "turned"):
        node.models.add(models / name)
    right = [one.label for one in node.inference.classify(TEXTS, model="base")]
    items = [{"text": text, "expected": label} for text, label in zip(TEXTS, right, strict=True)]
    path = tmp_path / "set.jsonl"
    path.write_text("".join(json.dumps(item) + "\n" for item in items))
    return node, path


def test_models_are_compared_item_by_item_on_a_set_that_is_asked_where_it_was_not(two: tuple[Node, Path]) -> None:
    node, path = two
    found = node.models.comparing.compare("base", "turned", path, Wanted())

    accuracy = next(one for one in found.quality if one.metric == "accuracy")
    assert (accuracy.a, accuracy.b, accuracy.items, accuracy.verdict) == (1, 0, len(TEXTS), "worse")
    assert (accuracy.better_items, accuracy.worse_items) == (0, len(TEXTS))
    assert accuracy.p == pytest.approx(2 / 2 ** len(TEXTS))
    assert (accuracy.low, accuracy.high) == (-1, -1)
    sizes = next(one for one in found.properties if one.property == "weight_bytes")
    assert (sizes.a, sizes.change) == (sizes.b, 0)
    assert found == node.models.comparing.compare("base", "turned", None, Wanted())


def test_what_is_worse_fails_where_that_is_asked_and_what_is_better_does_not(two: tuple[Node, Path]) -> None:
    node, path = two
    compare = node.models.comparing.compare
    with pytest.raises(NotGoodEnough, match="turned is worse than base: accuracy 0 against 1 on 24 items") as caught:
        compare("base", "turned", path, Wanted(), fail_if_worse=True)
    assert caught.value.exit_code == 4
    assert caught.value.context["compared"]["quality"][0]["verdict"] == "worse"
    better = compare("turned", "base", path, Wanted(metrics=["accuracy"]), fail_if_worse=True)
    assert [(one.metric, one.verdict) for one in better.quality] == [("accuracy", "better")]
    assert {one.verdict for one in compare("base", "base", path, Wanted()).quality} == {"same"}


def test_what_cannot_be_told_is_unknown_and_says_why(two: tuple[Node, Path]) -> None:
    node, path = two
    assert node.models.comparing.compare("base", "turned", None, Wanted()).note
    few = path.with_name("few.jsonl")
    few.write_text("".join(path.read_text().splitlines(keepends=True)[:3]))
    for name in ("base", "turned"):
        node.models.evaluations.evaluate(name, few, Wanted(metrics=["accuracy"], keep_set=False))
    (found,) = node.models.comparing.compare("base", "turned", None, Wanted()).quality
    assert (found.a, found.b, found.verdict) == (1, 0, "unknown")
    assert "was not kept" in str(found.reason)
    for name in ("base", "turned"):
        node.models.evaluations.evaluate(name, few, Wanted(metrics=["accuracy"]))
    (found,) = node.models.comparing.compare("base", "turned", None, Wanted()).quality
    assert (found.verdict, found.reason) == ("unknown", "fewer than 10 items")


def test_a_gate_does_not_open_where_nothing_was_compared(two: tuple[Node, Path]) -> None:
    node, path = two
    compare = node.models.comparing.compare
    with pytest.raises(NotFound, match="no set was asked of both") as caught:
        compare("base", "turned", None, Wanted(), fail_if_worse=True)
    assert caught.value.suggestion == "ipfs-accel model compare base turned --set SET.jsonl --fail-if-worse"

    few = path.with_name("few.jsonl")
    few.write_text("".join(path.read_text().splitlines(keepends=True)[:3]))
    with pytest.raises(NotFound, match=r"accuracy: fewer than 10 items") as caught:
        compare("base", "turned", few, Wanted(metrics=["accuracy"]), fail_if_worse=True)
    assert caught.value.context["compared"]["quality"][0]["verdict"] == "unknown"

    with pytest.raises(NotFound, match="f1 was not measured of both, only accuracy"):
        compare("base", "turned", None, Wanted(metrics=["f1"]), fail_if_worse=True)
    assert "only accuracy" in str(compare("base", "turned", None, Wanted(metrics=["f1"])).note)


def test_two_versions_of_one_name_are_told_apart(two: tuple[Node, Path], models: Path) -> None:
    node, path = two
    node.models.add(models / "turned", "base")
    with pytest.raises(NotGoodEnough, match="base is worse than base@1") as caught:
        node.models.comparing.compare("base@1", "base", path, Wanted(metrics=["accuracy"]), fail_if_worse=True)
    compared = caught.value.context["compared"]
    assert (compared["a"], compared["b"]) == ("base@1", "base")
    assert caught.value.suggestion == "ipfs-accel model compare base@1 base"
    with pytest.raises(NotGoodEnough) as caught:
        node.models.evaluations.evaluate("base@1", path, Wanted(thresholds=["accuracy>=1.1"]))
    assert caught.value.suggestion == "ipfs-accel model perf base@1"


def test_answers_of_another_way_of_asking_are_not_compared(node: Node, models: Path, tmp_path: Path) -> None:
    node.models.add(models / "decoder")
    path = tmp_path / "prompts.jsonl"
    path.write_text("".join(json.dumps({"prompt": text, "expected": "the"}) + "\n" for text in TEXTS[:12]))
    node.models.evaluations.evaluate("decoder", path, Wanted(max_tokens=2))
    longer = node.models.comparing.compare("decoder", "decoder", path, Wanted(metrics=["cer"], max_tokens=4))
    assert [(one.metric, one.verdict) for one in longer.quality] == [("cer", "same")]
    both = node.models.comparing.compare("decoder", "decoder", None, Wanted(metrics=["cer", "f1"]))
    assert sorted(one.metric for one in both.quality) == ["cer", "f1"]


def test_everything_that_was_measured_is_found_again(two: tuple[Node, Path], models: Path) -> None:
    node, path = two
    node.models.add(models / "decoder")
    node.inference.generate("the cat", model="decoder", max_tokens=6, stats=True)
    node.inference.calibrate("base", "classify")
    node.models.evaluations.evaluate("base", path, Wanted())

    now = datetime.now(UTC)
    found = node.models.perf.perf([], "1h", now)
    told = {(one.model, one.figure, one.source) for one in found.figures}
    assert told >= {
        ("decoder", "tokens_s", "measured run"),
        ("base", "texts_s", "calibration"),
        ("base", "accuracy", "evaluation"),
        ("base", "macro-f1", "evaluation"),
    }
    assert all(one.here and one.value >= 0 for one in found.figures)
    assert [one.at for one in found.figures] == sorted((one.at for one in found.figures), reverse=True)
    assert {one.model for one in node.models.perf.perf(["decoder"], None, now).figures} == {"decoder"}
    assert node.models.perf.perf([], "1h", now + timedelta(hours=2)).figures == []
    with pytest.raises(NotFound):
        node.models.perf.perf(["nobody"], None, now)


def test_the_statistics_of_other_engines_and_tasks_are_found_too(node: Node, models: Path) -> None:
    node.models.add(models / "base")
    list(node.inference.classify(["the cat"], model="base", stats=True))
    (found,) = node.models.perf.perf(["base"], None, datetime.now(UTC)).figures
    assert (found.figure, found.source, found.here) == ("texts_s", "measured run", True)
    assert found.value > 0


def test_a_time_is_a_date_a_moment_or_a_span_before_now() -> None:
    assert since_when("7d", NOW) == NOW - timedelta(days=7)
    assert since_when("30m", NOW) == NOW - timedelta(minutes=30)
    assert since_when("2026-01-30", NOW) == datetime(2026, 1, 30, tzinfo=UTC)
    assert since_when("2026-01-30T10:00:00Z", NOW) == datetime(2026, 1, 30, 10, tzinfo=UTC)
    for text in ("yesterday", "7", "d", "-1d", "99999999999999d"):
        with pytest.raises(Invalid):
            since_when(text, NOW)
