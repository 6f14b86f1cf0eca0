"""Evaluations: asked once, kept for good, said about the model, and held against thresholds."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.errors import Conflict, Invalid, NotFound, NotGoodEnough
from ipfs_accel_cli.services.model.evaluating.wanted import Wanted
from tests.conformance import tiny_models
from tests.running import Ran

pytestmark = pytest.mark.models

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TEXTS = ("the cat sat", "rain on the old tree", "a red bird", "the dog ran under a mat", "sun")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    tiny_models.classifier(folder / "classifier")
    tiny_models.decoder(folder / "decoder")
    tiny_models.encoder(folder / "encoder")
    return folder


def write(path: Path, items: Iterable[Any]) -> Path:
    path.write_text("".join(json.dumps(item) + "\n" for item in items))
    return path


def labelled(node: Node, path: Path, wrong: int = 0) -> Path:
    """Write a set that the classifier answers rightly but for the first `wrong` items."""
    right = [one.label for one in node.inference.classify(TEXTS, model="classifier")]
    other = {"good": "bad", "bad": "odd", "odd": "good"}
    labels = [other[label] if at < wrong else label for at, label in enumerate(right)]
    return write(path, [{"text": text, "expected": label} for text, label in zip(TEXTS, labels, strict=True)])


def test_a_threshold_that_is_not_met_fails_with_the_items_that_were_wrong(
    node: Node, models: Path, tmp_path: Path
) -> None:
    node.models.add(models / "classifier")
    path = labelled(node, tmp_path / "set.jsonl", wrong=2)

    found = node.models.evaluations.evaluate("classifier", path, Wanted(thresholds=["accuracy>=0.6"]))
    assert (found.metrics[0].metric, found.metrics[0].value, found.metrics[0].met) == ("accuracy", 0.6, True)
    assert (found.failed_items, [one.id for one in found.failed]) == (2, ["1", "2"])

    with pytest.raises(NotGoodEnough, match=r"accuracy is 0\.6, asked was accuracy>=0\.9") as caught:
        node.models.evaluations.evaluate("classifier", path, Wanted(thresholds=["accuracy>=0.9"]))
    assert [one["pointer"] for one in caught.value.errors] == ["1", "2"]
    assert caught.value.context["evaluated"]["statement_cid"] in [
        one.cid for one in node.models.show("classifier").statements
    ]


def test_what_was_answered_is_not_asked_again_unless_one_wants_to(node: Node, models: Path, tmp_path: Path) -> None:
    node.models.add(models / "classifier")
    path = labelled(node, tmp_path / "set.jsonl")
    evaluate = node.models.evaluations.evaluate

    assert [evaluate("classifier", path, Wanted(limit=2)).asked for _ in range(2)] == [2, 0]
    whole = evaluate("classifier", path, Wanted())
    assert (whole.items, whole.asked) == (5, 3)
    again = evaluate("classifier", path, Wanted())
    assert (again.asked, again.statement_cid) == (0, whole.statement_cid)
    assert evaluate("classifier", path, Wanted(again=True)).asked == 5


def test_a_run_that_was_killed_goes_on_where_it_was(
    home: Path, models: Path, tmp_path: Path, cli: Callable[..., Ran]
) -> None:
    with Node(home) as node:
        node.models.add(models / "decoder")
    path = write(tmp_path / "set.jsonl", [{"prompt": f"the cat {at}", "expected": "sat"} for at in range(40)])
    command = [sys.executable, "-m", "ipfs_accel_cli", "model", "eval", "decoder", str(path), "--max-tokens", "60"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ)
    try:
        deadline = time.monotonic() + 120
        while answered(home) < 3 and running.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
    finally:
        running.send_signal(signal.SIGKILL)
        running.communicate()
    kept = answered(home)
    assert 3 <= kept < 40

    done = cli("model", "eval", "decoder", path, "--max-tokens", "60", "--json")
    assert (done.status, done.json["items"], done.json["asked"]) == (0, 40, 40 - kept)


def answered(home: Path) -> int:
    try:
        with sqlite3.connect(f"file:{home / 'state.db'}?mode=ro", uri=True) as connection:
            return int(connection.execute("SELECT count(*) FROM eval_answers").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def test_recorded_answers_are_a_set_that_the_same_model_answers_perfectly(
    node: Node, models: Path, tmp_path: Path
) -> None:
    for name in ("classifier", "decoder", "encoder"):
        node.models.add(models / name)
    path = write(tmp_path / "set.jsonl", [{"id": f"q{at}", "input": text} for at, text in enumerate(TEXTS)])
    evaluate = node.models.evaluations.evaluate

    for name, metric in (("classifier", "accuracy"), ("decoder", "exact"), ("encoder", "least-cosine")):
        golden = tmp_path / f"{name}.jsonl"
        recorded = evaluate(name, path, Wanted(golden=golden, max_tokens=8))
        assert (recorded.metrics, recorded.statement_cid, recorded.golden) == ([], None, str(golden))
        found = evaluate(name, golden, Wanted(metrics=[metric], max_tokens=8))
        assert found.metrics[0].value == pytest.approx(1, abs=1e-6)
        with pytest.raises(Conflict):
            evaluate(name, path, Wanted(golden=golden))

    with pytest.raises(NotFound, match="no folder"):
        evaluate("decoder", path, Wanted(golden=tmp_path / "nowhere" / "golden.jsonl"))
    with pytest.raises(NotGoodEnough) as caught:
        evaluate("decoder", tmp_path / "decoder.jsonl", Wanted(thresholds=["exact>=1"], max_tokens=4))
    assert {one["pointer"] for one in caught.value.errors} <= {f"q{at}" for at in range(5)}


def test_a_perplexity_is_that_of_the_likelihoods_of_transformers(node: Node, models: Path, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    node.models.add(models / "decoder")
    path = write(tmp_path / "set.jsonl", [{"text": text} for text in TEXTS])
    found = {one.metric: one.value for one in node.models.evaluations.evaluate("decoder", path, Wanted()).metrics}

    model: Any = AutoModelForCausalLM.from_pretrained(models / "decoder")
    tokenizer = AutoTokenizer.from_pretrained(models / "decoder")
    nats = tokens = 0.0
    for text in TEXTS:
        ids = tokenizer(text, return_tensors="pt").input_ids
        with torch.inference_mode():
            nats += float(model(ids, labels=ids).loss) * (ids.shape[1] - 1)
        tokens += ids.shape[1] - 1
    assert found["perplexity"] == pytest.approx(2.718281828459045 ** (nats / tokens), rel=1e-4)
    size_bytes = sum(len(text.encode()) for text in TEXTS)
    assert found["bits-per-byte"] == pytest.approx(nats / size_bytes / 0.6931471805599453, rel=1e-4)


def test_vectors_are_compared_with_texts_pairs_and_stored_vectors(node: Node, models: Path, tmp_path: Path) -> None:
    node.models.add(models / "encoder")
    evaluate = node.models.evaluations.evaluate
    pairs = write(tmp_path / "pairs.jsonl", [{"input": [text, text], "expected": 1} for text in TEXTS])
    same = evaluate("encoder", pairs, Wanted(metrics=["cosine", "least-cosine"]))
    assert [one.value for one in same.metrics] == pytest.approx([1, 1])
    short = write(tmp_path / "short.jsonl", [{"input": "rain", "expected": [1, 0]}])
    with pytest.raises(Invalid, match=r"'1'.*32 numbers"):
        evaluate("encoder", short, Wanted())
    graded = write(
        tmp_path / "graded.jsonl", [{"input": "rain", "expected": ["sun", 0.5]}, {"input": ["a", "the"], "expected": 1}]
    )
    assert {one.metric for one in evaluate("encoder", graded, Wanted()).metrics} == {"spearman", "pearson"}


def test_what_was_measured_travels_with_the_model_and_the_set_stays_with_it(
    node: Node, models: Path, tmp_path: Path
) -> None:
    node.models.add(models / "classifier")
    path = labelled(node, tmp_path / "set.jsonl", wrong=1)
    found = node.models.evaluations.evaluate("classifier", path, Wanted())
    node.models.export("classifier", tmp_path / "model.car")

    node.store.gc()
    assert b"".join(map(bytes, node.store.open(found.set_cid))) == path.read_bytes()
    with Node(tmp_path / "other") as other:
        other.models.pull(str(tmp_path / "model.car"), "classifier")
        card = b"".join(map(bytes, other.models.history.card("classifier"))).decode()
        listed = {(one.figure, one.value, one.source) for one in other.models.perf.perf([], None, NOW).figures}
    assert ("accuracy", 0.8, "statement") in listed
    assert f"| accuracy | 0.8 | 5 | {found.set_cid} | torch | float32 |" in card
    assert "no evaluation" not in card

    node.models.remove(["classifier"])
    node.store.gc()
    with pytest.raises(NotFound):
        node.store.open(found.set_cid)


def test_a_prompt_that_leaves_no_room_is_named(node: Node, models: Path, tmp_path: Path) -> None:
    node.models.add(models / "decoder")
    path = write(tmp_path / "set.jsonl", [{"id": "long", "prompt": "rain " * 60, "expected": "sun"}])
    with pytest.raises(Invalid, match=r"the item 'long': .* reads 96 at most"):
        node.models.evaluations.evaluate("decoder", path, Wanted())


def test_a_set_that_is_not_to_be_kept_is_not(node: Node, models: Path, tmp_path: Path) -> None:
    node.models.add(models / "classifier")
    path = labelled(node, tmp_path / "set.jsonl")
    found = node.models.evaluations.evaluate("classifier", path, Wanted(keep_set=False))
    assert not found.set_kept
    with pytest.raises(NotFound):
        node.store.open(found.set_cid)


def test_the_shell_ends_with_status_4_and_the_whole_result(
    home: Path, models: Path, tmp_path: Path, cli: Callable[..., Ran]
) -> None:
    with Node(home) as node:
        node.models.add(models / "classifier")
        path = labelled(node, tmp_path / "set.jsonl", wrong=3)
    done = cli("model", "eval", "classifier", path, "--threshold", "accuracy>=0.5", "--json", "--offline")
    assert (done.status, done.json["error"]["code"]) == (4, "not-good-enough")
    assert done.json["error"]["context"]["evaluated"]["metrics"][0]["value"] == 0.4
    assert cli("model", "eval", "classifier", path, "--metric", "bleu").status == 2
    assert cli("model", "eval", "nobody", path).status == 3
