"""Smaller models of models: what they weigh, how they answer beside the original, and that only good ones are kept."""

from __future__ import annotations

import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy
import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.errors import Conflict, DiskFull, Invalid, MissingExtra, UnsupportedContent
from ipfs_accel_cli.services.infer.samples import SAMPLES
from ipfs_accel_cli.services.model.quantize_results import Quantized
from tests.conformance.tiny_models import BERT, classifier, decoder, encoder
from tests.servers.tiny_model import lay_out, tiny_model

pytestmark = [pytest.mark.models, pytest.mark.slow]
# Wide enough that the weights are more than what names them.
WIDE = BERT | {"hidden_size": 192, "num_attention_heads": 4, "intermediate_size": 768}
METHODS = ("onnx-int8", "torch-int8")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Quantized]]:
    """A home with an encoder in both forms, and a classifier and a decoder in the one of torch."""
    pytest.importorskip("onnxruntime")
    folder = tmp_path_factory.mktemp("quantized")
    models = (encoder(folder / "bert", size=WIDE), classifier(folder / "labels"), decoder(folder / "llama"))
    with Node(folder / "home") as node:
        for model in models:
            node.models.add(model.folder)
        found = {f"bert {method}": node.models.quantizer.quantize("bert", node.workshop, method) for method in METHODS}
        for name in ("labels", "llama"):
            found[name] = node.models.quantizer.quantize(name, node.workshop, "torch-int8")
    return folder / "home", found


@pytest.mark.parametrize("method", METHODS)
def test_the_weights_are_about_a_quarter_and_the_quality_is_what_anyone_computes(
    made: tuple[Path, dict[str, Quantized]], method: str
) -> None:
    home, found = made
    told = found[f"bert {method}"]
    engine = method.partition("-")[0]

    with Node(home) as node:
        before, after = (
            numpy.array([one.vector for one in node.inference.embed(SAMPLES, model=name, engine=engine)])
            for name in ("bert", told.name)
        )
        shown = node.models.show(told.name)
        weights = [file.size_bytes for file in shown.files if file.path.endswith((".onnx", ".safetensors"))]

    assert sum(weights) == told.weight_bytes < 0.35 * told.original_weight_bytes
    cosines = (before * after).sum(1) / numpy.linalg.norm(before, axis=1) / numpy.linalg.norm(after, axis=1)
    assert told.quality.quality == pytest.approx(cosines.mean(), abs=1e-5)
    assert told.quality.least_cosine == pytest.approx(cosines.min(), abs=1e-5)
    assert 0.99 < told.quality.quality < 1
    assert (shown.dtype, shown.tasks) == ("int8", ["embed"])
    assert all(speed.ratio > 0 and speed.rounds >= 3 for speed in told.speed)


def test_auto_runs_each_form_on_the_engine_that_it_was_made_for(made: tuple[Path, dict[str, Quantized]]) -> None:
    with Node(made[0]) as node:
        for name in ("bert-int8-onnx", "bert-int8-torch"):
            assert len(list(node.inference.embed(["the cat"], model=name))) == 1
        assert {one.engine for one in node.inference.loaded().models} == {"onnx", "torch"}


def test_a_program_that_does_not_know_the_form_cannot_take_the_integers_for_weights(
    made: tuple[Path, dict[str, Quantized]],
) -> None:
    code = "import sys; from transformers import AutoModel; AutoModel.from_pretrained(sys.argv[1])"
    with Node(made[0]) as node:
        folder = node.models.folder("bert-int8-torch")
    done = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True)
    assert done.returncode != 0
    assert "size" in done.stderr.splitlines()[-1] or "mismatch" in done.stderr


def test_labels_agree_as_often_as_is_said(made: tuple[Path, dict[str, Quantized]]) -> None:
    told = made[1]["labels"].quality
    with Node(made[0]) as node:
        before, after = (
            list(node.inference.classify(SAMPLES, model=name, engine="torch"))
            for name in ("labels", "labels-int8-torch")
        )
    pairs = list(zip(before, after, strict=True))
    same = [one.label == other.label for one, other in pairs]
    scores = [[{score.label: score.score for score in one.scores} for one in pair] for pair in pairs]
    differences = [abs(one[label] - other[label]) for one, other in scores for label in one]
    assert told.label_agreement == told.quality == pytest.approx(sum(same) / len(same), abs=1e-5)
    assert told.mean_difference == pytest.approx(sum(differences) / len(differences), abs=1e-5)


def test_the_perplexity_of_the_original_is_that_of_plain_transformers(
    made: tuple[Path, dict[str, Quantized]],
) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from ipfs_accel_cli.engines.torch.scoring import windows

    told = made[1]["llama"].quality
    with Node(made[0]) as node:
        folder = node.models.folder("llama")
        assert node.inference.generate("the cat", model="llama-int8-torch", max_tokens=4).text
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    total, tokens = 0.0, 0
    for text in SAMPLES:
        read = torch.tensor([tokenizer(text)["input_ids"]])
        for begin, end, first in windows(read.shape[1], 96, 48):
            ids = read[:, begin:end]
            labels = ids.clone()
            labels[:, : first - begin] = -100
            with torch.inference_mode():
                total += float(model(input_ids=ids, labels=labels).loss) * (end - first)
            tokens += end - first
    assert (told.tokens, told.original_perplexity) == (tokens, pytest.approx(math.exp(total / tokens), rel=1e-4))
    assert told.quality == pytest.approx(min(1, told.original_perplexity / told.perplexity), abs=1e-5)


def test_the_parent_is_recorded_and_travels_with_the_model(
    made: tuple[Path, dict[str, Quantized]], tmp_path: Path
) -> None:
    home, found = made
    told = found["bert torch-int8"]
    with Node(home) as node:
        (parent,) = told.parents
        assert parent == node.models.show("bert").manifest_cid
        steps = node.models.history.lineage(told.name).descents
        assert (told.manifest_cid, "quantized-from", parent) in [(one.child, one.kind, one.parent) for one in steps]
        node.models.export(told.name, tmp_path / "small.car")
    with Node(tmp_path / "other") as other:
        other.models.add(tmp_path / "small.car", "small")
        shown = other.models.show("small")
        assert shown.quantized_from == [parent]
        (body,) = [one.body for one in shown.statements if one.kind == "quantization"]
        assert body["quality"]["quality"] == told.quality.quality
        assert body["samples_cid"] == told.samples_cid
        figures = {one.figure: one for one in other.models.perf.perf(["small"], None, datetime.now(UTC)).figures}
        assert figures["quality"].value == told.quality.quality
        assert (figures["texts_s"].source, figures["texts_s"].about["original"]) == ("quantization", parent)
        assert [one.kind for one in other.models.history.lineage("small").ancestors if one.id == parent] == ["named"]
        assert len(list(other.inference.embed(["the cat"], model="small"))) == 1


@pytest.mark.parametrize("method", METHODS)
def test_the_same_model_gives_the_same_bytes(
    made: tuple[Path, dict[str, Quantized]], method: str, tmp_path: Path
) -> None:
    with Node(made[0]) as node:
        model = node.models.find("bert", "embed")
        contents = []
        for place in (tmp_path / "one", tmp_path / "other"):
            place.mkdir()
            node.workshop.make(model, "embed", method, place)
            contents.append({path.relative_to(place): path.read_bytes() for path in place.rglob("*") if path.is_file()})
        kept = {file.path: file.sha256 for file in node.models.show(f"bert-int8-{method.partition('-')[0]}").files}
    assert contents[0] == contents[1]
    assert set(map(str, contents[0])) | {"README.md"} == set(kept)


def test_what_answers_too_differently_is_not_kept(
    home: Path, node: Node, cli: Callable[..., Any], tmp_path: Path
) -> None:
    node.models.add(encoder(tmp_path / "bert").folder)
    ran = cli("model", "quantize", "bert", "--method", "torch-int8", "--min-quality", "1", "--json")
    assert ran.status == 4
    problem = ran.json["error"]
    assert 0.9 < problem["context"]["quality"]["quality"] < 1
    assert problem["suggestion"].startswith("ipfs-accel model quantize bert --method torch-int8 --min-quality 0.9")
    assert [one.name for one in node.models.ls().models] == ["bert"]
    assert not any((home / "partial").glob("quantize-*"))
    assert node.store.check() == []


def test_killed_in_the_middle_nothing_is_half_there_and_the_next_run_is_whole(home: Path, tmp_path: Path) -> None:
    with Node(home) as node:
        node.models.add(encoder(tmp_path / "bert").folder)
    command = [sys.executable, "-m", "ipfs_accel_cli", "model", "quantize", "bert", "--method", "torch-int8", "-q"]
    running = subprocess.Popen(command, env=os.environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    while not any((home / "partial").glob("quantize-*/made/model.safetensors")):
        assert running.poll() is None
        time.sleep(0.005)
    running.send_signal(signal.SIGKILL)
    assert running.communicate()[0] == b""
    with Node(home) as node:
        assert [one.name for one in node.models.ls().models] == ["bert"]
        done = node.models.quantizer.quantize("bert", node.workshop, "torch-int8")
        assert node.models.verify(done.name).manifest_cid == done.manifest_cid
        assert not any((home / "partial").glob("quantize-*"))
        assert node.store.check() == []


def test_what_cannot_be_quantised_says_why_before_any_work(
    made: tuple[Path, dict[str, Quantized]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Node(made[0]) as node:
        quantize = node.models.quantizer.quantize
        with pytest.raises(UnsupportedContent) as raised:
            quantize("llama", node.workshop, "onnx-int8")
        assert raised.value.suggestion == "ipfs-accel model quantize llama --method torch-int8"
        with pytest.raises(UnsupportedContent, match="quantised already"):
            quantize("bert-int8-torch", node.workshop, "torch-int8")
        node.models.add(lay_out(tmp_path / "words", {"notes.bin": b"no model"}))
        with pytest.raises(UnsupportedContent, match="no known task"):
            quantize("words", node.workshop, "torch-int8")
        strange = tiny_model() | {"config.json": json.dumps({"model_type": "strange"}).encode()}
        node.models.add(lay_out(tmp_path / "strange", strange))
        with pytest.raises(UnsupportedContent, match="transformers has no architecture strange"):
            quantize("strange", node.workshop, "torch-int8")
        with pytest.raises(Invalid, match="between 0 and 1"):
            quantize("bert", node.workshop, "torch-int8", least=2)
        node.models.tag("bert", "taken")
        with pytest.raises(Conflict, match="alias"):
            quantize("bert", node.workshop, "torch-int8", new_name="taken")
        monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1, 1, 0))  # type: ignore[attr-defined]
        with pytest.raises(DiskFull):
            quantize("bert", node.workshop, "torch-int8")


def test_without_onnx_the_line_that_installs_it_is_named(
    made: tuple[Path, dict[str, Quantized]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "ipfs_accel_cli.engines.onnx.quantize", raising=False)
    monkeypatch.setitem(sys.modules, "onnx", None)
    with Node(made[0]) as node, pytest.raises(MissingExtra) as raised:
        node.models.quantizer.quantize("bert", node.workshop, "onnx-int8")
    assert raised.value.suggestion == "pip install 'ipfs-accel[onnx]'"
