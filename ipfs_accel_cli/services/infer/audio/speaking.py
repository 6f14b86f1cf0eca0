"""Text into a sound file, sentence by sentence."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.core.files import replacing, writing_into
from ipfs_accel_cli.engines.exchange.audio import Script, SpeakOptions, Spoken
from ipfs_accel_cli.services.infer.audio.encoding import form_of, writer
from ipfs_accel_cli.services.infer.opening import Opened
from ipfs_accel_cli.tasks.speak import Speak

_PAUSE_S = 0.15


@dataclass(slots=True)
class Told:
    """What was spoken."""

    voice: str = ""
    rate: int = 0
    samples: int = 0
    sentences: int = 0
    work_s: float = 0.0


def speak(opened: Opened, parts: list[str], options: SpeakOptions, path: Path) -> Told:
    """Speak sentences into a file, which appears when the last one is in it; raises what the session raises."""
    told = Told()
    spoken = _spoken(opened, parts, options, told)
    first = next(spoken, None)
    if first is None:
        raise Invalid("there is nothing to say: the text holds no word")
    told.voice, told.rate = first.voice, first.waveform.rate
    with writing_into(path.parent), replacing(path) as file, writer(file, form_of(path), told.rate, 1) as out:
        _write(out, first, told)
        for one in spoken:
            _pause(out, told)
            _write(out, one, told)
    return told


def _spoken(opened: Opened, parts: list[str], options: SpeakOptions, told: Told) -> Iterator[Spoken]:
    task, call = Speak(), current()
    for at, sentence in enumerate(parts):
        call.progress(at, len(parts), "sentences")
        began = time.perf_counter()
        spoken = opened.answer(task, task.prepare(Script(sentence), options))
        told.work_s += time.perf_counter() - began
        told.sentences += 1
        yield spoken
    call.progress(len(parts), len(parts), "sentences")


def _write(out: Any, spoken: Spoken, told: Told) -> None:
    out.write(numpy.clip(spoken.waveform.samples, -1.0, 1.0))
    told.samples += len(spoken.waveform.samples)


def _pause(out: Any, told: Told) -> None:
    silence = numpy.zeros(int(told.rate * _PAUSE_S), numpy.float32)
    out.write(silence)
    told.samples += len(silence)
