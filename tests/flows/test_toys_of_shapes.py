"""The toy that finds regions, trained for seconds by the script that is shipped, through the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.surfaces.cli.main import run

pytestmark = [pytest.mark.models, pytest.mark.slow]
ROOT = Path(__file__).resolve().parent.parent.parent
SHAPES = (("red", "circle"), ("blue", "square"), ("yellow", "square"), ("green", "circle"), ("purple", "square"))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the toy after a third of its usual steps."""
    folder = tmp_path_factory.mktemp("shapes")
    script = [sys.executable, ROOT / "scripts/train_shapes.py", "--task", "segment", folder / "toy", "--steps", "200"]
    subprocess.run(script, check=True, cwd=ROOT)
    with Node(folder / "home") as node:
        node.models.add(folder / "toy", "toy")
    return folder / "home"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """One large shape each, larger than the model looks at."""
    from PIL import Image

    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        import shapes
    finally:
        sys.path.remove(str(ROOT / "scripts"))
    folder, files = tmp_path_factory.mktemp("pictures"), []
    for colour, kind in SHAPES:
        drawn = shapes.draw([shapes.Shape(kind, colour, "large", 90.0, 110.0, 44.0)], side=200)
        files.append(folder / f"{colour}-{kind}.png")
        Image.fromarray(drawn.pixels).save(files[-1])
    return files


def test_the_toy_finds_the_regions_of_drawn_shapes(
    home: Path, pictures: list[Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("IPFS_ACCEL_HOME", str(home))
    assert run(["infer", "image", "segment", *map(str, pictures), "-m", "toy", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["items"]
    assert [one["file"] for one in found] == list(map(str, pictures))
    right = 0
    for (colour, _), one in zip(SHAPES, found, strict=True):
        assert one["regions"][0]["label"] == "ground"
        shown = next((region for region in one["regions"] if region["label"] != "ground"), None)
        # A square of 88 pixels has a fifth of the picture, a circle less.
        right += shown is not None and shown["label"].startswith(colour) and 0.06 < shown["share"] < 0.3
    assert right >= 3, [one["summary"] for one in found]
