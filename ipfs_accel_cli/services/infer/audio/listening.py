"""Voice activity of a sound, block by block, with a loaded model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy
from numpy.typing import NDArray

from ipfs_accel_cli.engines.exchange.audio import DetectOptions, Listening, Waveform
from ipfs_accel_cli.services.infer.audio.reading import Samples
from ipfs_accel_cli.services.infer.opening import Opened
from ipfs_accel_cli.tasks.voice_detect import VoiceDetect

RATE = 16_000
FRAME = 512
# Two seconds: little enough to answer soon, much enough that the way to the model and back does not count.
_BLOCK = 64 * FRAME


@dataclass(frozen=True, slots=True)
class Frames:
    """A block of sound and how likely each frame of it is speech; only the last block ends within a frame."""

    samples: Samples
    chances: NDArray[numpy.float32]


def chances(opened: Opened | None, blocks: Iterable[Samples]) -> Iterator[Frames]:
    """Yield blocks with their probabilities; without a model every frame counts as speech."""
    task, memory = VoiceDetect(), None
    for block in whole(blocks, _BLOCK):
        if opened is None:
            yield Frames(block, numpy.ones(-(-len(block) // FRAME), numpy.float32))
            continue
        asked = task.prepare(Listening(Waveform(block, RATE), memory), DetectOptions())
        activity = opened.answer(task, asked)
        memory = activity.memory
        yield Frames(block, activity.probabilities)


def whole(blocks: Iterable[Samples], size: int) -> Iterator[Samples]:
    """Yield the same samples in blocks of exactly `size`, but for the last."""
    held: list[Samples] = []
    count = 0
    for block in blocks:
        held.append(block)
        count += len(block)
        if count < size:
            continue
        joined = numpy.concatenate(held)
        for at in range(0, count - count % size, size):
            yield joined[at : at + size]
        held, count = [joined[count - count % size :]], count % size
    if count:
        yield numpy.concatenate(held)
