"""Pictures and words through the command line: a captioner trained in seconds, and tiny models that draw noise."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.surfaces.cli.main import run
from tests.conformance import tiny_multimodal as tiny

pytestmark = [pytest.mark.models, pytest.mark.slow]
ROOT = Path(__file__).resolve().parent.parent.parent
SHAPES = (("red", "circle"), ("blue", "square"), ("yellow", "triangle"), ("green", "square"))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the toy captioner, trained by the script that is shipped, and tiny models for the other tasks."""
    folder = tmp_path_factory.mktemp("multimodal")
    script = ROOT / "scripts/train_captioner.py"
    subprocess.run([sys.executable, script, folder / "toy", "--steps", "90"], check=True, cwd=ROOT)
    tiny.llava(folder / "llava")
    tiny.clip(folder / "clip")
    with Node(folder / "home") as node:
        node.models.add(folder / "toy", "captioner")
        node.models.add(folder / "llava", "llava")
        node.models.add(folder / "clip", "clip")
    return folder / "home"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Drawn shapes, far larger than the model looks at."""
    from PIL import Image

    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        import shapes
    finally:
        sys.path.remove(str(ROOT / "scripts"))
    folder, files = tmp_path_factory.mktemp("pictures"), []
    for colour, kind in SHAPES:
        drawn = shapes.draw([shapes.Shape(kind, colour, "large", 90.0, 80.0, 44.0)], side=200)
        files.append(folder / f"{colour}-{kind}.png")
        Image.fromarray(drawn.pixels).save(files[-1])
    return files


@pytest.fixture
def cli(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Run a command with --json; returns its exit status and what it printed."""
    monkeypatch.setenv("IPFS_ACCEL_HOME", str(home))

    def call(*arguments: object) -> tuple[int, Any]:
        status = run([*map(str, arguments), "--json"])
        out = capsys.readouterr().out
        return status, json.loads(out) if out.strip() else None

    return call


def test_the_toy_names_the_colours_of_drawn_shapes(cli: Callable[..., Any], pictures: list[Path]) -> None:
    status, found = cli("infer", "multimodal", "caption", *pictures, "--batch", 3, "-m", "captioner")
    assert status == 0
    found = found["items"]
    assert [one["file"] for one in found] == [str(file) for file in pictures]
    right = [colour in one["caption"].split() for (colour, _), one in zip(SHAPES, found, strict=True)]
    assert sum(right) >= 3, [one["caption"] for one in found]
    assert {(one["model"], one["toy"], one["engine"]) for one in found} == {("captioner", True, "torch")}
    assert all(one["model_cid"].startswith("bafy") for one in found)


def test_one_picture_of_several_that_is_damaged_is_named_and_the_others_are_captioned(
    cli: Callable[..., Any], pictures: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken.png").write_bytes(pictures[0].read_bytes()[:100])
    status = run(
        ["infer", "multimodal", "caption", str(tmp_path / "broken.png"), str(pictures[0]), "-q", "-m", "captioner"]
    )
    said = capsys.readouterr()
    assert status == 11
    assert "broken.png" in said.err
    assert len(said.out.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("caption", "nowhere.png"), 3),
        (("caption", __file__), 4),
        (("caption", "PICTURE", "-m", "clip"), 6),
        (("caption", "PICTURE", "--max-tokens", "0"), 2),
        (("ask", "PICTURE", " "), 2),
        (("ask", "PICTURE", "what is it?", "-m", "captioner"), 6),
        (("embed",), 2),
        (("embed", "a text", "--label", "a", "--label", "b"), 2),
        (("embed", "--image", "PICTURE", "--label", "a"), 2),
        (("embed", "--image", "PICTURE", "--top", "1"), 2),
        (("embed", "--image", "PICTURE", "--query", "a", "--query-image", "PICTURE"), 2),
    ],
)
def test_what_makes_no_sense_is_refused(
    cli: Callable[..., Any], pictures: list[Path], arguments: tuple[str, ...], status: int
) -> None:
    given = [str(pictures[0]) if one == "PICTURE" else one for one in arguments]
    assert cli("infer", "multimodal", *given)[0] == status


def test_a_question_is_answered_and_a_seed_repeats(cli: Callable[..., Any], pictures: list[Path]) -> None:
    asked = ("infer", "multimodal", "ask", pictures[0], "the cat", "--max-tokens", 5)
    status, found = cli(*asked, "--temperature", 2, "--seed", 3)
    assert (status, found["model"], found["seed"], found["toy"]) == (0, "llava", 3, False)
    assert cli(*asked, "--temperature", 2, "--seed", 3)[1] == found
    assert cli(*asked)[1]["seed"] is None


def test_pictures_are_ranked_by_a_text_texts_by_a_picture_and_labelled(
    cli: Callable[..., Any], pictures: list[Path]
) -> None:
    images = [argument for file in pictures for argument in ("--image", file)]
    plain = cli("infer", "multimodal", "embed", "the cat", *images)[1]["items"]
    vectors = {one["item"]: numpy.array(one["vector"]) for one in plain}
    assert [one["kind"] for one in plain] == ["text"] + ["image"] * 4
    ranked = cli("infer", "multimodal", "embed", *images, "--query", "the cat", "--top", 3)[1]["items"]
    assert [one["rank"] for one in ranked] == [1, 2, 3]
    expected = sorted((float(vectors[str(file)] @ vectors["the cat"]) for file in pictures), reverse=True)[:3]
    assert numpy.allclose([one["score"] for one in ranked], expected, atol=1e-5)
    back = cli("infer", "multimodal", "embed", "the cat", "a red dog", "--query-image", pictures[0])[1]["items"]
    assert {one["item"] for one in back} == {"the cat", "a red dog"}
    named = cli("infer", "multimodal", "embed", *images, "--label", "the cat", "--label", "a red dog")[1]["items"]
    assert all(abs(sum(one["score"] for one in picture["labels"]) - 1) < 1e-5 for picture in named)
    assert all(picture["label"] == picture["labels"][0]["label"] for picture in named)


def test_a_picture_is_drawn_into_a_file_and_a_seed_repeats_it(
    home: Path, cli: Callable[..., Any], tmp_path: Path
) -> None:
    pytest.importorskip("diffusers")
    tiny.painter(tmp_path / "painter")
    status, added = cli("model", "add", tmp_path / "painter")
    assert status == 0
    assert "image-generate" in json.dumps(added)
    draw = ("infer", "image", "generate", "a red cat", "--steps", 2, "--seed", 5)
    status, found = cli(*draw, "-o", tmp_path / "one.png")
    assert status == 0
    assert (found["width"], found["height"], found["engine"], found["model"]) == (16, 16, "diffusers", "painter")
    assert cli(*draw, "-o", tmp_path / "two.png")[0] == 0
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    for more, expected in (
        (("-o", tmp_path / "one.png"), 10),
        (("-o", tmp_path / "one.txt"), 2),
        (("-o", tmp_path / "none/one.png"), 3),
        (("-o", tmp_path / "three.png", "--size", "17x16"), 2),
        (("-o", tmp_path / "three.png", "--size", "4096x4096"), 2),
        (("-o", tmp_path / "three.png", "--size", "wide"), 2),
        (("-o", tmp_path / "three.png", "-m", "clip"), 6),
    ):
        assert cli(*draw, *more)[0] == expected, more
    assert not (tmp_path / "three.png").exists()
