"""A sound made ready: cut, mixed down, resampled, made louder or softer, and written in another format."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.core.files import replacing, writing_into
from ipfs_accel_cli.services.infer.audio import mel
from ipfs_accel_cli.services.infer.audio.encoding import Form, check_size, writer
from ipfs_accel_cli.services.infer.audio.reading import MOST_RATE, Samples, Sound, at_rate, mono

# One decibel below the loudest leaves room for what resampling and lossy formats add.
_NORMAL_PEAK = 10 ** (-1 / 20)
_TIME = re.compile(r"(?:(?:(\d{1,6}):)?(\d{1,6}):)?(\d{1,9}(?:\.\d{1,9})?)")
_LOUDEST_GAIN_DB = 120.0


@dataclass(frozen=True, slots=True)
class Steps:
    """What is done, in this order. `start_s` and `end_s` cut; the gain is in decibels."""

    start_s: float = 0.0
    end_s: float | None = None
    mono: bool = False
    rate: int | None = None
    gain_db: float = 0.0
    normalise: bool = False

    def check(self) -> None:
        """Raise Invalid for steps that make no sense."""
        if self.rate is not None and not 1 <= self.rate <= MOST_RATE:
            raise Invalid(f"--resample takes 1 to {MOST_RATE} samples a second, not {self.rate}")
        if not abs(self.gain_db) <= _LOUDEST_GAIN_DB:
            raise Invalid(f"--gain is -{_LOUDEST_GAIN_DB:.0f} to {_LOUDEST_GAIN_DB:.0f} decibels, not {self.gain_db}")
        if self.normalise and self.gain_db:
            raise Invalid("--normalise chooses the gain; give it or --gain, not both")
        if self.end_s is not None and self.end_s <= self.start_s:
            raise Invalid(f"--trim ends at {self.end_s} s, which is not after its start at {self.start_s} s")


def trimmed(text: str) -> tuple[float, float | None]:
    """Read START-END, either left out: `1.5-4`, `-30`, `1:02:03-`. Raises Invalid."""
    start, dash, end = text.partition("-")
    if not dash:
        raise Invalid(f"--trim takes START-END in seconds or as 1:02:03, not {text!r}")
    return _seconds(start, text) or 0.0, _seconds(end, text)


@dataclass(slots=True)
class Made:
    """What came of it."""

    rate: int
    channels: int
    frames: int = 0
    peak: float = 0.0
    clipped: int = 0

    def seen(self, block: Samples) -> Samples:
        """Count a block and return it within what files hold."""
        self.frames += len(block)
        loud = numpy.abs(block)
        self.peak = max(self.peak, float(loud.max(initial=0.0)))
        self.clipped += int((loud > 1.0).sum())
        return numpy.clip(block, -1.0, 1.0)


def process(sound: Sound, steps: Steps, out: Path | None, form: Form | None, drawing: Path | None) -> Made:
    """Write what the steps make of a sound, and its picture; in constant memory, reading it as often as needed."""
    rate = steps.rate or sound.rate
    if steps.start_s >= sound.seconds:
        raise Invalid(f"{sound.name} is {sound.seconds:.2f} s long; nothing is left from {steps.start_s} s on")
    channels = 1 if steps.mono else sound.channels
    if form is not None:
        end_s = sound.seconds if steps.end_s is None else min(steps.end_s, sound.seconds)
        check_size(form, int((end_s - steps.start_s) * rate) * channels)
    gain = 10 ** (steps.gain_db / 20)
    if steps.normalise:
        peak = max((float(numpy.abs(block).max(initial=0.0)) for block in _made(sound, steps, rate)), default=0.0)
        gain = _NORMAL_PEAK / peak if peak else 1.0
    made = Made(rate, channels)
    blocks = (made.seen(block * numpy.float32(gain)) for block in _made(sound, steps, rate))
    if out is not None and form is not None:
        with writing_into(out.parent), replacing(out) as file, writer(file, form, rate, made.channels) as target:
            for block in blocks:
                target.write(block)
    else:
        for _ in blocks:
            pass
    if drawing is not None:
        again = (mono(_columns(block)) * numpy.float32(gain) for block in _made(sound, steps, rate))
        mel.draw(mel.picture(again, rate, made.frames), drawing)
    return made


def _made(sound: Sound, steps: Steps, rate: int) -> Iterator[Samples]:
    """Yield the blocks, cut, mixed down and resampled."""
    first = int(steps.start_s * sound.rate)
    end = sound.frames if steps.end_s is None else min(sound.frames, int(steps.end_s * sound.rate))
    call, done = current(), 0

    def read() -> Iterator[Samples]:
        nonlocal done
        for block in sound.blocks(first, end - first):
            done += len(block)
            call.progress(round(done / sound.rate, 1), round((end - first) / sound.rate, 1), "seconds")
            yield mono(block)[:, None] if steps.mono else block

    yield from (_columns(block) for block in at_rate(read(), sound.rate, rate))


def _columns(block: Samples) -> Samples:
    return block if block.ndim == 2 else block[:, None]


def _seconds(text: str, whole: str) -> float | None:
    if not text.strip():
        return None
    found = _TIME.fullmatch(text.strip())
    if found is None:
        raise Invalid(f"--trim takes START-END in seconds or as 1:02:03, not {whole!r}")
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds
