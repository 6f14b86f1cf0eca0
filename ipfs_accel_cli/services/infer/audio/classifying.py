"""Labels of sounds: of a whole one, or of each stretch of one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy

from ipfs_accel_cli.engines.exchange.audio import HearOptions, Waveform
from ipfs_accel_cli.services.infer.audio.listening import RATE, whole
from ipfs_accel_cli.services.infer.audio.reading import Samples, Sound, heard
from ipfs_accel_cli.services.infer.audio.results import SoundLabels
from ipfs_accel_cli.services.infer.floats import shortest
from ipfs_accel_cli.services.infer.opening import Opened
from ipfs_accel_cli.services.infer.results import LabelScore
from ipfs_accel_cli.services.infer.toys import is_toy
from ipfs_accel_cli.tasks.audio_classify import AudioClassify

# A longer sound is heard in stretches of so much, so that memory does not grow with it.
LONGEST_S = 10.0
_SHORTEST_S = 0.1


def labelled(opened: Opened, sound: Sound, window_s: float | None, top: int | None) -> Iterator[SoundLabels]:
    """Yield the labels of each window, or without one of the whole sound: the mean over its stretches, by length."""
    task = AudioClassify()
    names: tuple[str, ...] = ()
    total, weight, at = None, 0, 0
    for block in whole(heard(sound, RATE), int((window_s or LONGEST_S) * RATE)):
        # What is left over at the end says little; alone it is filled up with silence.
        if len(block) >= _SHORTEST_S * RATE or total is None:
            found = opened.answer(task, task.prepare(Waveform(_long_enough(block), RATE), HearOptions()))
            names = found.labels
            if window_s is not None:
                yield _labels(opened, sound.name, at, at + len(block), found.scores, names, top)
            share = found.scores.astype(numpy.float64) * len(block)
            total, weight = share if total is None else total + share, weight + len(block)
        at += len(block)
    if window_s is None and total is not None:
        yield _labels(opened, sound.name, 0, at, (total / weight).astype(numpy.float32), names, top)


def _long_enough(block: Samples) -> Samples:
    least = int(_SHORTEST_S * RATE)
    return block if len(block) >= least else numpy.pad(block, (0, least - len(block)))


def _labels(
    opened: Opened, name: str, start: int, end: int, scores: numpy.ndarray, labels: tuple[str, ...], top: int | None
) -> SoundLabels:
    values = shortest(scores).tolist()
    order = numpy.argsort(-scores, kind="stable").tolist()[:top]
    best = [LabelScore(label=labels[at], score=values[at]) for at in order]
    return SoundLabels(
        file=name,
        start_s=round(start / RATE, 3),
        end_s=round(end / RATE, 3),
        label=best[0].label,
        score=best[0].score,
        scores=best,
        model=opened.model.facts.name,
        toy=is_toy(opened.model.folder),
    )
