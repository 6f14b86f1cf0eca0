"""The task `speak`: a sentence into sound."""

from __future__ import annotations

from collections.abc import Iterable

import numpy

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.engines.base import Chunk, Request
from ipfs_accel_cli.engines.exchange.audio import Script, SpeakOptions, Spoken, Waveform

SLOWEST, FASTEST = 0.25, 4.0


class Speak:
    """A sentence in, a waveform out."""

    name = "speak"

    def prepare(self, inputs: Script, options: SpeakOptions) -> Request:
        """Return a request for one sentence."""
        if not inputs.text.strip():
            raise Invalid("there is no text to speak")
        if not SLOWEST <= options.speed <= FASTEST:
            raise Invalid(f"--speed is {SLOWEST} to {FASTEST}, not {options.speed}")
        return Request(self.name, inputs, options)

    def collect(self, chunks: Iterable[Chunk]) -> Spoken:
        """Return the parts of a sentence as one."""
        parts = [chunk.data for chunk in chunks if isinstance(chunk.data, Spoken)]
        if not parts:
            raise ValueError("no chunk holds sound")
        samples = numpy.concatenate([part.waveform.samples for part in parts])
        return Spoken(Waveform(samples, parts[0].waveform.rate), parts[0].voice)
