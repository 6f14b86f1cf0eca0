"""One model on two engines: the graph is made once, kept as content, measured, and chosen by its measured speed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.errors import UnsupportedContent, VerificationFailed
from ipfs_accel_cli.services.infer.calibrating import chosen
from ipfs_accel_cli.services.infer.results import Trial
from tests.conformance.tiny_models import encoder

pytestmark = [pytest.mark.models, pytest.mark.slow]
ROOT = Path(__file__).resolve().parent.parent.parent
TEXTS = ["there was rain and thunder", "the choir sang", "a goal for the team in the last minute of the match", "soup"]


@pytest.fixture(scope="module")
def topics(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy classifier, trained by the script that is shipped."""
    folder = tmp_path_factory.mktemp("topics") / "topics"
    subprocess.run([sys.executable, ROOT / "scripts/train_topic_model.py", folder, "--steps", "100"], check=True)
    return folder


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, topics: Path) -> Path:
    """A home in which both models are here and have been exported; exporting takes most of the time."""
    pytest.importorskip("onnxruntime")
    folder = tmp_path_factory.mktemp("shared")
    encoder(folder / "bert")
    with Node(folder / "home") as node:
        node.models.add(folder / "bert", "bert")
        node.models.add(topics, "topics")
        for name in ("bert", "topics"):
            calibrated = node.inference.calibrate(name)
            measured = {trial.engine: trial for trial in calibrated.trials if trial.texts_s}
            assert {"torch", "onnx", "onnx-int8"} <= set(measured) <= {"torch", "onnx", "onnx-int8", "openvino"}
            assert [trial.engine for trial in calibrated.trials if trial.chosen] == [calibrated.engine]
            assert all((trial.agreement or 0) > 0.999 for name, trial in measured.items() if name != "onnx-int8")
            assert (measured["onnx-int8"].agreement or 0) > 0.99
    return folder / "home"


def test_both_engines_give_the_same_vectors(shared: Path) -> None:
    with Node(shared) as node:
        rows = [
            numpy.array([one.vector for one in node.inference.embed(TEXTS, model="bert", engine=engine)])
            for engine in ("torch", "onnx")
        ]
    assert numpy.abs(rows[0] - rows[1]).max() < 1e-5


def test_eight_bits_say_what_they_are_and_how_well_they_agree(shared: Path, cli: Callable[..., Any]) -> None:
    ran = cli("infer", "embed", *TEXTS, "-m", "bert", "--engine", "onnx-int8", "--stats", "--home", shared)
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    with Node(shared) as node:
        plain = numpy.array([one.vector for one in node.inference.embed(TEXTS, model="bert", engine="torch")])
        said = next(one.body for one in node.models.show("bert").statements if "int8" in str(one.body.get("kind")))
    found = numpy.array([line["vector"] for line in lines])
    assert 0.99 < float((plain * found).sum(axis=1).min()) < 1
    assert {line["engine"] for line in lines} == {"onnx-int8"}
    assert {line["agreement"] for line in lines} == {round(said["least_cosine"], 4)}
    assert "engine onnx-int8 (agreement " in ran.stderr
    assert "int8 on cpu" in ran.stderr


def test_a_model_that_loses_too_much_in_eight_bits_is_refused(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ipfs_accel_cli.engines.onnx import int8

    shutil.copytree(shared, tmp_path / "home")
    monkeypatch.setattr(int8, "LEAST_COSINE", 1.1)
    monkeypatch.setattr(int8, "_RECIPE", 0)
    with Node(tmp_path / "home") as node:
        with pytest.raises(VerificationFailed, match=r"in 8 bits.*1\.1"):
            list(node.inference.embed(["rain"], model="bert", engine="onnx-int8"))
        shown = node.inference.calibrate("bert")
        reason = next(trial.reason for trial in shown.trials if trial.engine == "onnx-int8")
        assert "cosine" in str(reason)


def test_labels_are_those_of_plain_transformers_on_both_engines(shared: Path, topics: Path) -> None:
    from transformers import pipeline

    plain = pipeline("text-classification", model=str(topics), top_k=None, device="cpu")(TEXTS)
    expected = [{one["label"]: one["score"] for one in scores} for scores in plain]
    with Node(shared) as node:
        for engine in ("torch", "onnx"):
            found = list(node.inference.classify(TEXTS, model="topics", engine=engine))
            for one, scores in zip(found, expected, strict=True):
                assert {score.label: score.score for score in one.scores} == pytest.approx(scores, abs=1e-5)
                assert one.label == max(scores, key=scores.__getitem__)


def test_classifying_streams_lines_and_takes_only_the_likeliest(shared: Path, cli: Callable[..., Any]) -> None:
    ran = cli("infer", "classify", "-m", "topics", "--top", "1", "--home", shared, stdin="\n".join(TEXTS))
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [line["index"] for line in lines] == [0, 1, 2, 3]
    assert [line["label"] for line in lines[:3]] == ["weather", "music", "sport"]
    assert all(len(line["scores"]) == 1 for line in lines)


def test_without_a_classifier_the_next_command_is_named(node: Node, cli: Callable[..., Any]) -> None:
    ran = cli("infer", "classify", "a text", "--json")
    assert ran.status == 3
    assert "train_topic_model.py" in ran.json["error"]["suggestion"]


def test_the_graph_is_content_of_its_own_and_said_of_the_model(shared: Path) -> None:
    with Node(shared) as node:
        said = [one.body for one in node.models.show("bert").statements if one.kind == "derived"]
        assert sorted("int8" in str(graph["kind"]) for graph in said) == [False, True]
        for graph in said:
            assert graph["least_cosine"] > 0.99
            assert node.store.stat(graph["cid"]).whole_file
            node.models.gc()
            assert node.store.stat(graph["cid"]).size_bytes == graph["size_bytes"]
        assert node.store.check() == []


def test_another_process_uses_the_graph_without_torch_and_transformers(shared: Path) -> None:
    code = f"""
import sys
sys.modules["torch"] = sys.modules["transformers"] = None
from ipfs_accel_cli import Node
with Node({str(shared)!r}) as node:
    print(len(list(node.inference.embed(["rain", "sun"], model="bert", engine="onnx"))))
    print(len(list(node.inference.classify(["rain", "sun"], model="topics", engine="onnx"))))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ)
    assert (done.stdout, done.stderr) == ("2\n2\n", "")


def test_an_exported_model_leaves_behind_what_can_be_made_again(shared: Path, tmp_path: Path) -> None:
    with Node(shared) as node:
        whole = node.models.export("bert", tmp_path / "bert.car")
        graph = next(one.body for one in node.models.show("bert").statements if one.kind == "derived")
    assert whole.size_bytes < graph["size_bytes"] + 100_000
    with Node(tmp_path / "other") as other:
        other.models.add(tmp_path / "bert.car")
        assert other.store.check() == []


def test_a_removed_model_takes_its_graph_along(tmp_path: Path, shared: Path) -> None:
    shutil.copytree(shared, tmp_path / "home")
    with Node(tmp_path / "home") as node:
        graph = next(one.body for one in node.models.show("bert").statements if one.kind == "derived")
        node.models.remove(["bert"])
        node.models.gc()
        assert not node.store.has(CID.parse(graph["cid"]))


def test_a_graph_that_answers_otherwise_is_refused_and_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnxruntime")
    from ipfs_accel_cli.engines.onnx import agreement

    encoder(tmp_path / "bert")
    monkeypatch.setattr(agreement, "LEAST_COSINE", 1.1)
    with Node(tmp_path / "home") as node:
        node.models.add(tmp_path / "bert")
        with pytest.raises(VerificationFailed, match="cosine"):
            list(node.inference.embed(["rain"], engine="onnx"))
        assert [one.kind for one in node.models.show("bert").statements if one.kind == "derived"] == []
        assert node.store.check() == []


def test_what_was_measured_decides_and_a_task_without_engines_says_so(shared: Path) -> None:
    with Node(shared) as node:
        measured = node.inference.calibrate("bert").engine
        list(node.inference.embed(["rain"], model="bert"))
        assert [one.engine for one in node.inference.loaded().models] == [measured]
        with pytest.raises(UnsupportedContent, match="cannot generate: it can embed"):
            node.inference.calibrate("bert", "generate")


def trial(engine: str, texts_s: float | None, agreement: float | None = 1.0) -> Trial:
    return Trial(engine=engine, texts_s=texts_s, agreement=agreement)


@pytest.mark.parametrize(
    ("trials", "best"),
    [
        ([trial("torch", 100), trial("onnx", 200)], "onnx"),
        ([trial("torch", 100), trial("onnx", 103)], "torch"),
        ([trial("torch", 100), trial("onnx", 900, agreement=0.98)], "torch"),
        ([trial("torch", 100), trial("onnx", None, agreement=None)], "torch"),
        ([trial("torch", 100), trial("onnx", 200), trial("other", 300)], "other"),
    ],
)
def test_the_fastest_that_answers_alike_is_chosen(trials: list[Trial], best: str) -> None:
    assert [one.engine for one in chosen(trials) if one.chosen] == [best]
