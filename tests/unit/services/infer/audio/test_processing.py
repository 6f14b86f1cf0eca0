"""Sounds made ready, through the command line."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest

from ipfs_accel_cli.services.infer.audio.mel import BANDS, filters, picture
from ipfs_accel_cli.surfaces.cli.main import run

soundfile = pytest.importorskip("soundfile")
pytest.importorskip("soxr")


@pytest.fixture
def tone(tmp_path: Path) -> Path:
    """Four seconds of 1 kHz on one side, 3 kHz on the other."""
    at = numpy.arange(4 * 48_000) / 48_000
    sides = [0.2 * numpy.sin(2 * numpy.pi * hertz * at) for hertz in (1_000, 3_000)]
    soundfile.write(tmp_path / "tone.wav", numpy.stack(sides, 1), 48_000)
    return tmp_path / "tone.wav"


def process(*arguments: object) -> int:
    return run(["infer", "audio", "process", *map(str, arguments)])


def test_a_part_is_kept_mixed_down_resampled_and_made_loud(tone: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.flac"
    assert process(tone, "-o", out, "--trim", "1-2.5", "--mono", "--resample", 16_000, "--normalise") == 0
    samples, rate = soundfile.read(out)
    assert (rate, samples.ndim, len(samples)) == (16_000, 1, 24_000)
    assert numpy.abs(samples).max() == pytest.approx(10 ** (-1 / 20), abs=0.01)
    strongest = sorted(numpy.abs(numpy.fft.rfft(samples)).argsort()[-2:] * rate / len(samples))
    assert strongest == pytest.approx([1_000, 3_000], abs=2)


def test_channels_stay_unless_they_are_mixed_and_decibels_count(tone: Path, tmp_path: Path) -> None:
    assert process(tone, "-o", tmp_path / "out.wav", "--gain", 6) == 0
    before, after = soundfile.read(tone)[0], soundfile.read(tmp_path / "out.wav")[0]
    assert after.shape == before.shape
    assert numpy.abs(after).max() / numpy.abs(before).max() == pytest.approx(10 ** (6 / 20), rel=0.01)


@pytest.mark.parametrize("ending", ["ogg", "opus", "mp3", "aiff"])
def test_other_formats_are_written(tone: Path, tmp_path: Path, ending: str) -> None:
    assert process(tone, "-o", tmp_path / f"out.{ending}") == 0
    assert soundfile.info(tmp_path / f"out.{ending}").duration == pytest.approx(4, abs=0.1)


def test_a_picture_shows_each_tone_at_its_height(tone: Path, tmp_path: Path) -> None:
    from PIL import Image

    assert process(tone, "--spectrogram", tmp_path / "tone.png") == 0
    with Image.open(tmp_path / "tone.png") as drawn:
        assert drawn.size == (400, 2 * BANDS)
    samples = soundfile.read(tone, dtype="float32")[0].mean(1)
    decibels = picture([samples[:50_000], samples[50_000:]], 48_000, len(samples))
    weights = filters(48_000, 1024)
    levels = {
        hertz: decibels[int(weights[:, round(hertz / 48_000 * 1024)].argmax()), 200] for hertz in (1_000, 3_000, 10_000)
    }
    assert levels[1_000] > -3
    assert levels[3_000] > -12
    assert levels[10_000] < -60


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ([], 2),
        (["-o", "out.docx"], 2),
        (["-o", "out.wav", "--trim", "9-12"], 2),
        (["-o", "out.wav", "--trim", "3-2"], 2),
        (["-o", "out.wav", "--resample", "0"], 2),
        (["-o", "out.wav", "--gain", "3", "--normalise"], 2),
        (["-o", "tone.wav"], 10),
        (["-o", "nosuch/out.wav"], 2),
    ],
)
def test_what_makes_no_sense_is_refused_and_leaves_nothing(
    tone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], status: int
) -> None:
    monkeypatch.chdir(tmp_path)
    assert process("tone.wav", *arguments) == status
    assert list(tmp_path.iterdir()) == [tone]


def test_a_sound_and_its_picture_do_not_go_into_one_file(tone: Path, tmp_path: Path) -> None:
    assert process(tone, "-o", tmp_path / "out.wav", "--spectrogram", tmp_path / "out.wav") == 2
    assert process(tone, "--spectrogram", tmp_path / "tone.jpg") == 2
    assert [path.name for path in tmp_path.iterdir()] == ["tone.wav"]


def test_a_sound_that_its_format_cannot_hold_is_refused_before_a_byte_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "slow.raw").write_bytes(bytes(20_000))
    slow = (tmp_path / "slow.raw", "--rate", 1, "--resample", 384_000)
    assert process(*slow, "-o", tmp_path / "out.wav") == 8
    assert "4.0 GiB" in capsys.readouterr().err


@pytest.mark.parametrize("trim", ["-" + "9" * 400, "9" * 400 + "-", "1:" * 3 + "2-"])
def test_times_beyond_reason_are_refused_as_such(tone: Path, tmp_path: Path, trim: str) -> None:
    assert process(tone, "-o", tmp_path / "out.wav", f"--trim={trim}") == 2
