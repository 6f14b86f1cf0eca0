"""Running models that see, hear or speak on a session that is at hand: pictures a second, and shares of real time."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import islice

import numpy

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.core.figures import Row, row
from ipfs_accel_cli.engines.base import Chunk, Request, Session
from ipfs_accel_cli.engines.exchange.audio import (
    DetectOptions,
    HearOptions,
    Listening,
    Script,
    SpeakOptions,
    Spoken,
    TranscribeOptions,
    Waveform,
)
from ipfs_accel_cli.engines.exchange.image import FindOptions, ImageOptions, Images
from ipfs_accel_cli.services.infer.bench.percentiles import of_latency
from ipfs_accel_cli.services.infer.driving import chunks_of
from ipfs_accel_cli.tasks import TASKS

SEEING = ("image-classify", "image-embed", "image-detect", "image-segment")
HEARING = ("transcribe", "voice-detect", "audio-classify")
SPEAKING = "speak"
PERCEIVED = (*SEEING, *HEARING, SPEAKING)
_SIDE = 224
_SENTENCE = "The quick brown fox jumps over the lazy dog, and nobody in the village hears of it before noon."


def perceive(
    session: Session, task: str, batch: int, sound: Waveform | None, repetitions: int, *, warm_up: bool
) -> tuple[str, list[Row]]:
    """Return the name of the test and its figures; raises Invalid for a model that hears where there is no sound."""
    if task in SEEING:
        pictures = _pictures(batch)
        options = ImageOptions(batch) if task in SEEING[:2] else FindOptions(batch)
        runs = _runs(session, lambda: TASKS.load(task)().prepare(pictures, options), repetitions, warm_up)
        rates = [batch / seconds for seconds, _ in runs]
        name = f"{batch} of {_SIDE}x{_SIDE}"
        return name, [row("rate", "pictures/s", rates), *of_latency("latency", [seconds for seconds, _ in runs])]
    runs = _runs(session, _asks(task, sound), repetitions, warm_up)
    lengths = [_spoken(chunks) if sound is None or task == SPEAKING else sound.seconds for _, chunks in runs]
    shares = [seconds / length for (seconds, _), length in zip(runs, lengths, strict=True)]
    name = f"{lengths[0]:.1f} s of sound"
    return name, [row("rtf", "of real time", shares, "lower"), *of_latency("latency", [seconds for seconds, _ in runs])]


def _asks(task: str, sound: Waveform | None) -> Callable[[], Request]:
    made = TASKS.load(task)()
    if task == SPEAKING:
        return lambda: made.prepare(Script(_SENTENCE), SpeakOptions())
    if sound is None:
        raise Invalid(f"a model that can {task} is measured on a sound", suggestion="--sound FILE")
    if task == "transcribe":
        return lambda: made.prepare(sound, TranscribeOptions())
    if task == "voice-detect":
        return lambda: made.prepare(Listening(sound), DetectOptions())
    return lambda: made.prepare(sound, HearOptions())


def _runs(
    session: Session, ask: Callable[[], Request], repetitions: int, warm_up: bool
) -> list[tuple[float, list[Chunk]]]:
    found = []
    for _ in range(repetitions + warm_up):
        current().check()
        begun = time.perf_counter()
        chunks = chunks_of(session, ask())
        found.append((time.perf_counter() - begun, chunks))
    return list(islice(found, int(warm_up), None))


def _spoken(chunks: list[Chunk]) -> float:
    parts = [chunk.data.waveform.seconds for chunk in chunks if isinstance(chunk.data, Spoken)]
    return max(sum(parts), 1e-9)


def _pictures(count: int) -> Images:
    """Return pictures of noise: what a network computes does not depend on what they show."""
    noise = numpy.random.default_rng(0)
    return Images(tuple(noise.integers(0, 256, (_SIDE, _SIDE, 3), dtype=numpy.uint8) for _ in range(count)))
