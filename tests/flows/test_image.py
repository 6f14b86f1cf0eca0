"""Real weights look at pictures that are drawn here: from the catalogue to labels, vectors and text, as a user does."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ipfs_accel_cli import Node
from ipfs_accel_cli.surfaces.cli.main import run
from tests.conformance import tiny_vision
from tests.flows import drawn
from tests.unit.services.infer.image import bad_pictures as bad

pytestmark = [pytest.mark.models, pytest.mark.slow]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with EfficientNet-Lite0, PP-OCR, a tiny detector and a tiny segmenter."""
    folder = tmp_path_factory.mktemp("shared")
    for name in ("efficientnet-lite0", "pp-ocr-v4"):
        # In a process of its own: here no socket may leave the machine.
        words = ["model", "pull", f"catalogue:{name}", "--home", str(folder / "home")]
        done = subprocess.run([sys.executable, "-m", "ipfs_accel_cli", *words], capture_output=True, text=True)
        if done.returncode in (3, 5, 6):
            pytest.skip(f"the packages of {name} cannot be had: {done.stderr}")
        assert done.returncode == 0, done.stderr
    with Node(folder / "home") as node:
        node.models.add(tiny_vision.detector(folder / "boxes").folder, name="boxes")
        node.models.add(tiny_vision.segmenter(folder / "regions").folder, name="regions")
    return folder / "home"


@dataclass(frozen=True)
class Ran:
    """How one command ended."""

    status: int
    stdout: str
    stderr: str


@pytest.fixture
def asked(shared: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """Run `infer image …` on the shared home, in this process: to load torch takes longer than all the rest."""

    def run_it(*words: str | Path, stdin: bytes | None = None) -> Ran:
        capfd.readouterr()
        if stdin is not None:
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        status = run(["infer", "image", *map(str, words), "--home", str(shared)])
        said = capfd.readouterr()
        return Ran(status, said.out, said.err)

    return run_it


def items(ran: Any) -> list[dict[str, Any]]:
    assert ran.status == 0, ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]


def test_a_clock_and_a_traffic_light_are_known_for_what_they_are(asked: Callable[..., Any], tmp_path: Path) -> None:
    clock, light = drawn.clock(tmp_path / "clock.png"), drawn.traffic_light(tmp_path / "light.jpg")
    found = items(asked("classify", clock, light, "--top", "3"))
    assert [one["label"] for one in found] == ["analog clock", "traffic light"]
    assert all(len(one["scores"]) == 3 and one["score"] > 0.2 for one in found)
    piped = asked("classify", "--quiet", stdin=light.read_bytes())
    assert piped.stdout.splitlines()[0] == "traffic light"


def test_a_graph_of_the_real_weights_sees_the_same_and_needs_no_torch(
    asked: Callable[..., Any], shared: Path, tmp_path: Path
) -> None:
    pytest.importorskip("onnxruntime")
    shown = drawn.clock(tmp_path / "clock.png"), drawn.traffic_light(tmp_path / "light.png")
    plain, graph = (items(asked("classify", *shown, "--engine", engine)) for engine in ("torch", "onnx"))
    for one, other in zip(plain, graph, strict=True):
        assert one["label"] == other["label"]
        assert one["score"] == pytest.approx(other["score"], abs=1e-4)
    code = f"""
import sys
sys.modules["torch"] = sys.modules["transformers"] = None
from ipfs_accel_cli.surfaces.cli.main import run
words = ["infer", "image", "classify", *{[str(path) for path in shown]!r}, "--engine", "onnx", "--quiet"]
run([*words, "--home", {str(shared)!r}])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "analog clock\ntraffic light\n", done.stderr


def test_the_nearest_picture_is_of_the_same_thing(asked: Callable[..., Any], tmp_path: Path) -> None:
    pictures = [
        drawn.traffic_light(tmp_path / "light.png"),
        drawn.clock(tmp_path / "noon.png", hour=12),
        drawn.text(tmp_path / "text.png"),
    ]
    ranked = items(asked("embed", *pictures, "--query", drawn.clock(tmp_path / "four.png", hour=4)))
    assert Path(ranked[0]["file"]).name == "noon.png"
    assert [one["rank"] for one in ranked] == [1, 2, 3]
    assert ranked[0]["score"] > 0.8 > ranked[1]["score"]
    (vector,) = items(asked("embed", pictures[0]))
    assert len(vector["vector"]) == vector["dimensions"] == 1280


def test_one_bad_picture_fails_alone_with_status_11(asked: Callable[..., Any], tmp_path: Path) -> None:
    good, wrong = drawn.clock(tmp_path / "clock.png"), bad.cut(tmp_path / "cut.jpg", "JPEG")
    ran = asked("classify", wrong, good, "--top", "1")
    assert ran.status == 11
    assert [json.loads(line)["index"] for line in ran.stdout.splitlines()] == [1]
    assert "cut.jpg" in ran.stderr
    assert asked("classify", wrong).status == 4
    assert asked("classify", tmp_path / "nowhere.png").status == 3


def test_a_model_for_another_task_says_what_it_can(asked: Callable[..., Any], tmp_path: Path) -> None:
    ran = asked("detect", drawn.clock(tmp_path / "clock.png"), "-m", "efficientnet-lite0")
    assert ran.status == 6
    assert "image-classify, image-embed" in ran.stderr


def test_text_is_read_with_the_verified_graphs(asked: Callable[..., Any], tmp_path: Path) -> None:
    pytest.importorskip("rapidocr_onnxruntime")
    page = drawn.text(tmp_path / "page.png")
    (found,) = items(asked("ocr", page, "--boxes", "--annotate", tmp_path / "out.png"))
    assert found["text"] == "\n".join(drawn.LINES)
    assert found["model"] == "pp-ocr-v4"
    tops = [line["box"][1] for line in found["lines"]]
    assert tops == sorted(tops)
    with Image.open(tmp_path / "out.png") as annotated, Image.open(page) as plain:
        assert annotated.size == plain.size
        assert annotated.tobytes() != plain.tobytes()
    again = asked("ocr", page, "--annotate", tmp_path / "out.png")
    assert again.status == 10


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="the program tesseract is not installed")
def test_tesseract_reads_it_too(asked: Callable[..., Any], tmp_path: Path) -> None:
    ran = asked("ocr", drawn.text(tmp_path / "page.png"), "--engine", "tesseract", "--quiet")
    assert ran.stdout.strip() == "\n".join(drawn.LINES)
    missing = asked("ocr", tmp_path / "page.png", "--engine", "tesseract", "--language", "xxx")
    assert missing.status == 2
    assert "tesseract-ocr-xxx" in missing.stderr


def test_without_tesseract_the_line_that_installs_it_is_given(
    asked: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    ran = asked("ocr", drawn.text(tmp_path / "page.png"), "--engine", "tesseract")
    assert ran.status == 6
    assert "apt-get install tesseract-ocr" in ran.stderr


def test_boxes_and_masks_are_those_of_the_picture_in_its_file(asked: Callable[..., Any], tmp_path: Path) -> None:
    large = tmp_path / "large.jpg"
    Image.new("RGB", (5000, 1000), "white").save(large)
    (found,) = items(asked("detect", large, "-m", "boxes", "--threshold", "0", "--annotate", tmp_path / "b.png"))
    assert (found["width"], found["height"], found["count"]) == (5000, 1000, 5)
    assert max(thing["box"][2] for thing in found["things"]) > 1024
    (found,) = items(asked("segment", large, "-m", "regions", "--masks", "--annotate", tmp_path / "m.png"))
    assert sum(region["share"] for region in found["regions"]) == pytest.approx(1, abs=1e-3)
    for region in found["regions"]:
        assert sum(region["mask"]["counts"]) == region["mask"]["size"][0] * region["mask"]["size"][1]
    assert {path.name for path in tmp_path.glob("*.png")} == {"b.png", "m.png"}
