"""One model of pictures on several engines: its graph is made once, kept as content, measured, and chosen by speed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.errors import Invalid, VerificationFailed
from ipfs_accel_cli.engines.samples import pictures
from ipfs_accel_cli.services.infer.calibrating import Calibrations
from ipfs_accel_cli.services.infer.image.asked import Asked
from ipfs_accel_cli.services.infer.results import Trial
from tests.conformance import tiny_vision

pytestmark = [pytest.mark.models, pytest.mark.slow]
GRAPHS = {"torch", "onnx", "onnx-int8", "openvino"}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a network of tokens and one of convolutions, both compared; exporting takes most of the time."""
    pytest.importorskip("onnxruntime")
    folder = tmp_path_factory.mktemp("shared")
    with Node(folder / "home") as node:
        node.models.add(tiny_vision.classifier(folder / "vit").folder, name="vit")
        node.models.add(tiny_vision.convolutions(folder / "resnet").folder, name="resnet")
        node.inference.calibrate("vit")
        node.inference.calibrate("resnet", "image-embed")
    return folder / "home"


@pytest.fixture
def album(tmp_path: Path) -> list[Path]:
    files = [tmp_path / f"{at}.png" for at in range(4)]
    for file, picture in zip(files, pictures(4), strict=True):
        Image.fromarray(picture).save(file)
    return files


def compared(home: Path, model: str, task: str) -> dict[str, Trial]:
    with Node(home) as node:
        known = Calibrations(node.database).find(node.models.show(model).manifest_cid, task)
        assert known is not None
        assert [trial.engine for trial in known.trials if trial.chosen] == [known.engine]
        return {trial.engine: trial for trial in known.trials}


def test_engines_are_compared_on_made_up_pictures(shared: Path) -> None:
    trials = compared(shared, "vit", "image-classify")
    measured = {name: trial for name, trial in trials.items() if trial.rate is not None}
    assert {"torch", "onnx", "onnx-int8"} <= set(measured) <= GRAPHS
    for name, trial in measured.items():
        assert (trial.pictures_s or 0) > 0
        assert (trial.one_pictures_s or 0) > 0
        assert (trial.texts_s, trial.rtfx) == (None, None)
        assert (trial.agreement or 0) > (0.99 if name == "onnx-int8" else 0.9999)


def test_convolutions_stay_whole_and_the_reason_is_listed(shared: Path) -> None:
    trials = compared(shared, "resnet", "image-embed")
    assert trials["onnx-int8"].rate is None
    assert "convolutions stay whole" in str(trials["onnx-int8"].reason)
    assert (trials["onnx"].agreement or 0) > 0.9999


def test_auto_takes_the_engine_that_was_chosen(shared: Path, album: list[Path]) -> None:
    trials = [trial for trial in compared(shared, "vit", "image-classify").values() if trial.rate is not None]
    answers = []
    for trial in trials:
        with Node(shared) as node:
            turned = [one.model_copy(update={"chosen": one is trial, "agreement": 1.0}) for one in trials]
            Calibrations(node.database).keep(node.models.show("vit").manifest_cid, "image-classify", turned)
            answers.append([one.label for one in node.inference.images.classify(Asked(album, "vit"))])
            assert [one.engine for one in node.inference.loaded().models] == [trial.engine]
    with Node(shared) as node:
        Calibrations(node.database).keep(node.models.show("vit").manifest_cid, "image-classify", trials)
    assert all(labels == answers[0] for labels in answers)


def test_what_was_measured_is_among_the_figures_of_the_model(shared: Path) -> None:
    with Node(shared) as node:
        found = node.models.perf.perf(["vit"], None, datetime.now(UTC)).figures
    assert {(one.engine, one.figure) for one in found} >= {("torch", "pictures_s"), ("onnx", "pictures_s")}


def test_the_graph_is_content_of_its_own_and_says_how_well_it_agrees(shared: Path) -> None:
    with Node(shared) as node:
        said = [one.body for one in node.models.show("vit").statements if one.kind == "derived"]
        whole = next(one for one in said if "int8" not in str(one["kind"]))
        short = next(one for one in said if "int8" in str(one["kind"]))
        assert whole["largest_difference"] < 1e-3
        assert short["same_labels"] >= 0.99
        node.models.gc()
        for one in said:
            assert node.store.stat(one["cid"]).size_bytes == one["size_bytes"]
        assert node.store.check() == []


def test_another_process_sees_with_the_graph_and_without_torch(shared: Path, album: list[Path]) -> None:
    code = f"""
import sys
sys.modules["torch"] = None
from pathlib import Path
from ipfs_accel_cli import Node
from ipfs_accel_cli.services.infer.image.asked import Asked
with Node({str(shared)!r}) as node:
    print([one.label for one in node.inference.images.classify(Asked([Path({str(album[0])!r})], "vit", engine="onnx"))])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ)
    with Node(shared) as node:
        expected = [one.label for one in node.inference.images.classify(Asked(album[:1], "vit", engine="torch"))]
    assert done.stdout == f"{expected}\n", done.stderr


def test_statistics_name_the_engine_and_its_agreement(shared: Path, album: list[Path], cli: Callable[..., Any]) -> None:
    ran = cli("infer", "image", "embed", *album, "-m", "resnet", "--engine", "onnx", "--stats", "--home", shared)
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [(line["dimensions"], line["pooling"]) for line in lines] == [(16, "mean")] * 4
    assert "engine onnx (agreement 1.0000)" in ran.stderr


def test_a_graph_that_sees_otherwise_is_refused_and_not_kept(
    album: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnxruntime")
    from ipfs_accel_cli.engines.onnx import agreement

    tiny_vision.convolutions(tmp_path / "resnet")
    monkeypatch.setattr(agreement, "LARGEST_DIFFERENCE", -1.0)
    with Node(tmp_path / "home") as node:
        node.models.add(tmp_path / "resnet")
        with pytest.raises(VerificationFailed, match="in a score"):
            list(node.inference.images.classify(Asked(album, "resnet", engine="onnx")))
        assert [one.kind for one in node.models.show("resnet").statements if one.kind == "derived"] == []


def test_a_sound_is_no_picture(shared: Path, tmp_path: Path) -> None:
    from ipfs_accel_cli.services.infer.questions import questions
    from tests.conformance.sound_suite import hum

    with Node(shared) as node, pytest.raises(Invalid, match="for the task transcribe only"):
        questions(node.inference.opener.find("vit", "image-classify"), "image-classify", hum())
