"""The task `voice-detect`: sound into how likely each moment of it is speech."""

from __future__ import annotations

from collections.abc import Iterable

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.engines.base import Chunk, Request
from ipfs_accel_cli.engines.exchange.audio import Activity, DetectOptions, Listening


class VoiceDetect:
    """A block of sound in, with the memory of the one before; probabilities and memory out."""

    name = "voice-detect"

    def prepare(self, inputs: Listening, options: DetectOptions) -> Request:
        """Return a request for one block."""
        if not len(inputs.waveform.samples):
            raise Invalid("there is no sound to listen to")
        return Request(self.name, inputs, options)

    def collect(self, chunks: Iterable[Chunk]) -> Activity:
        """Return the probabilities of a block."""
        for chunk in chunks:
            if isinstance(chunk.data, Activity):
                return chunk.data
        raise ValueError("no chunk holds an activity")
