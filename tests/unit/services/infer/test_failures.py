"""What is said when some of many fail."""

from __future__ import annotations

import json
from pathlib import Path

import numpy
import pytest
from PIL import Image

from ipfs_accel_cli.core.errors import Invalid, SomeFailed
from ipfs_accel_cli.services.infer.failures import Failures
from ipfs_accel_cli.surfaces.cli.main import run


def test_each_is_named_once_and_all_are_told_at_the_end() -> None:
    failures = Failures("sounds")
    assert failures.usable("a.wav", None)
    assert not failures.usable("b.wav", Invalid("b.wav: there is no sound in it"))
    with pytest.raises(SomeFailed, match="1 of 2 sounds failed") as caught:
        failures.end()
    assert caught.value.errors == [{"pointer": "b.wav", "detail": "there is no sound in it"}]


def test_json_of_what_failed_in_part_can_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(numpy.zeros((4, 4, 3), numpy.uint8)).save(tmp_path / "a.png")
    (tmp_path / "out").mkdir()
    files = [str(tmp_path / name) for name in ("a.png", "none.png")]
    assert run(["infer", "image", "process", *files, "-o", str(tmp_path / "out"), "--json"]) == 11
    out, decoder = capsys.readouterr().out, json.JSONDecoder()
    items, end = decoder.raw_decode(out)
    problem, _ = decoder.raw_decode(out[end:].lstrip())
    assert len(items["items"]) == 1
    assert problem["error"]["errors"][0]["pointer"] == files[1]
