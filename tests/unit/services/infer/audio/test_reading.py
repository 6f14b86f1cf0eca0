"""Sounds from files: any format, any rate, several channels, and what is wrong with some."""

from __future__ import annotations

import io
from pathlib import Path

import numpy
import pytest

from ipfs_accel_cli.core.call import Call
from ipfs_accel_cli.core.errors import AccelError, Invalid, MalformedContent, NotFound
from ipfs_accel_cli.services.infer.audio.reading import Raw, heard, opened

soundfile = pytest.importorskip("soundfile")
pytest.importorskip("soxr")


def tone(rate: int, seconds: float = 1.5, channels: int = 1) -> numpy.ndarray:
    made = 0.4 * numpy.sin(2 * numpy.pi * 440 * numpy.arange(int(rate * seconds)) / rate)
    return numpy.stack([made] * channels, 1).astype(numpy.float32)


def read(path: Path | str, raw: Raw | None = None, call: Call | None = None) -> numpy.ndarray:
    with opened(str(path), call or Call(), raw) as sound:
        return numpy.concatenate(list(heard(sound, 16_000)))


@pytest.mark.parametrize("rate", [8_000, 11_025, 44_100, 192_000])
@pytest.mark.parametrize("ending", ["wav", "flac"])
def test_a_tone_stays_that_tone_at_the_rate_of_models(tmp_path: Path, ending: str, rate: int) -> None:
    soundfile.write(tmp_path / f"a.{ending}", tone(rate, channels=8), rate)
    found = read(tmp_path / f"a.{ending}")
    assert len(found) == pytest.approx(24_000, abs=2)
    loudest = numpy.abs(numpy.fft.rfft(found)).argmax() * 16_000 / len(found)
    assert loudest == pytest.approx(440, abs=1)
    assert numpy.abs(found[2_000:-2_000]).max() == pytest.approx(0.4, abs=0.01)


@pytest.mark.parametrize("ending", ["ogg", "mp3", "aiff"])
def test_other_formats_are_read_too(tmp_path: Path, ending: str) -> None:
    soundfile.write(tmp_path / f"a.{ending}", tone(44_100), 44_100)
    assert len(read(tmp_path / f"a.{ending}")) == pytest.approx(24_000, abs=2_000)


def test_standard_input_and_raw_samples_are_sounds(tmp_path: Path) -> None:
    held = (tone(8_000) * 32_767).astype("<i2").tobytes()
    call = Call(input=lambda: io.BytesIO(held))
    assert len(read("-", Raw(8_000), call)) == pytest.approx(24_000, abs=2)
    assert len(read("-", Raw(8_000, 2), call)) == pytest.approx(12_000, abs=2)


@pytest.mark.parametrize("ending", ["wav", "flac", "aiff"])
def test_of_a_file_that_was_cut_off_what_there_is_is_read_and_it_is_noted(tmp_path: Path, ending: str) -> None:
    whole, cut = tmp_path / f"whole.{ending}", tmp_path / f"cut.{ending}"
    noise = numpy.random.default_rng(0).uniform(-0.5, 0.5, 8 * 16_000)
    soundfile.write(whole, noise, 16_000)
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with opened(str(cut), Call()) as sound:
        found = numpy.concatenate(list(heard(sound, 16_000)))
        assert sound.truncated
    assert 2 * 16_000 < len(found) <= 4 * 16_000
    assert numpy.allclose(found, noise[: len(found)], atol=1e-3)


@pytest.mark.parametrize(
    ("data", "error", "said"),
    [
        (b"", Invalid, "empty"),
        (b"hello world, this is no sound at all\n" * 40, MalformedContent, "no sound"),
        (bytes(range(256)) * 20, MalformedContent, "no sound"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", MalformedContent, "damaged"),
    ],
)
def test_what_is_no_sound_is_named(tmp_path: Path, data: bytes, error: type[AccelError], said: str) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(data)
    with pytest.raises(error, match=said) as caught:
        read(path)
    assert "a.wav" in caught.value.detail


def test_a_sound_of_no_length_too_many_channels_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "none.wav", numpy.zeros(0), 16_000)
    soundfile.write(tmp_path / "nine.wav", numpy.zeros((100, 9)), 16_000)
    with pytest.raises(Invalid, match="0 s"):
        read(tmp_path / "none.wav")
    with pytest.raises(Invalid, match="9 channels"):
        read(tmp_path / "nine.wav")
    with pytest.raises(NotFound):
        read(tmp_path / "nosuch.wav")


def test_samples_that_are_no_numbers_become_silence(tmp_path: Path) -> None:
    samples = tone(16_000)[:, 0]
    samples[100] = numpy.nan
    soundfile.write(tmp_path / "a.wav", samples, 16_000, subtype="FLOAT")
    assert numpy.isfinite(read(tmp_path / "a.wav")).all()


def test_of_three_hours_no_more_than_a_second_is_held_at_once(tmp_path: Path) -> None:
    path, rate, seconds = tmp_path / "long.wav", 8_000, 3 * 3600
    soundfile.write(path, numpy.zeros(1), rate)
    size = seconds * rate * 2
    with path.open("r+b") as file:
        header = bytearray(file.read(44))
        header[4:8], header[40:44] = (size + 36).to_bytes(4, "little"), size.to_bytes(4, "little")
        file.seek(0)
        file.write(header)
        file.truncate(size + 44)  # Sparse: hardly any room on the disk.
    with opened(str(path), Call()) as sound:
        assert sound.seconds == seconds
        longest = total = 0
        for block in sound.blocks():
            longest, total = max(longest, len(block)), total + len(block)
    assert total == seconds * rate
    assert longest <= rate
