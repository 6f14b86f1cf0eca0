"""Models that see and hear are measured in pictures a second and in shares of real time."""

from __future__ import annotations

import math
import struct
import wave
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.services.infer.bench.wanted import Wanted
from tests.conformance import tiny_sounds, tiny_vision

pytestmark = pytest.mark.models


@pytest.fixture
def tone(tmp_path: Path) -> Path:
    path = tmp_path / "tone.wav"
    with wave.open(str(path), "wb") as sound:
        sound.setparams((1, 2, 8_000, 0, "NONE", ""))
        sound.writeframes(b"".join(struct.pack("<h", int(9000 * math.sin(at / 5))) for at in range(16_000)))
    return path


def test_pictures_a_second_of_each_batch(node: Node, tmp_path: Path) -> None:
    node.models.add(tiny_vision.classifier(tmp_path / "sees").folder, name="sees")
    run = node.inference.benches.run(["sees"], Wanted(batches=(1, 3), repetitions=3))
    assert [(test.task, test.test, test.n_batch) for test in run.tests] == [
        ("image-classify", "1 of 224x224", 1),
        ("image-classify", "3 of 224x224", 3),
    ]
    for test in run.tests:
        rate = test.figures[0]
        assert (rate.name, rate.unit, rate.better, rate.samples) == ("rate", "pictures/s", "higher", 3)
        assert test.peak_memory_bytes is not None
        assert test.peak_memory_bytes > 0
        assert test.quality_measure == "engines were not compared: ipfs-accel infer calibrate"


def test_the_share_of_real_time_that_hearing_takes(node: Node, tmp_path: Path, tone: Path) -> None:
    node.models.add(tiny_sounds.sound_namer(tmp_path / "hears").folder, name="hears")
    (test,) = node.inference.benches.run(["hears"], Wanted(repetitions=2, sound=tone)).tests
    rtf, latency = test.figures
    assert (test.task, test.test, rtf.name, rtf.better) == ("audio-classify", "2.0 s of sound", "rtf", "lower")
    assert rtf.median is not None
    assert latency.median is not None
    assert test.peak_memory_bytes
    assert rtf.median == pytest.approx(latency.median / 2, rel=0.5)
    with pytest.raises(Invalid, match="is measured on a sound"):
        node.inference.benches.run(["hears"], Wanted(repetitions=2))
