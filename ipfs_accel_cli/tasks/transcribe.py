"""The task `transcribe`: speech into text."""

from __future__ import annotations

import math
from collections.abc import Iterable

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.engines.base import Chunk, Request
from ipfs_accel_cli.engines.exchange.audio import TranscribeOptions, Transcript, Waveform


class Transcribe:
    """A window of sound in, what is spoken in it out."""

    name = "transcribe"

    def prepare(self, inputs: Waveform, options: TranscribeOptions) -> Request:
        """Return a request for one window of sound."""
        if not len(inputs.samples):
            raise Invalid("there is no sound to write down")
        if not (math.isfinite(options.temperature) and options.temperature >= 0):
            raise Invalid(f"--temperature must be 0 or more, not {options.temperature}")
        return Request(self.name, inputs, options)

    def collect(self, chunks: Iterable[Chunk]) -> Transcript:
        """Return what was written down."""
        for chunk in chunks:
            if isinstance(chunk.data, Transcript):
                return chunk.data
        raise ValueError("no chunk holds a transcript")
