"""The task `audio-classify`: a sound into scores of labels."""

from __future__ import annotations

from collections.abc import Iterable

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.engines.base import Chunk, Request
from ipfs_accel_cli.engines.exchange.audio import Heard, HearOptions, Waveform


class AudioClassify:
    """A sound in, a score of each label out."""

    name = "audio-classify"

    def prepare(self, inputs: Waveform, options: HearOptions) -> Request:
        """Return a request for one sound."""
        if not len(inputs.samples):
            raise Invalid("there is no sound to classify")
        return Request(self.name, inputs, options)

    def collect(self, chunks: Iterable[Chunk]) -> Heard:
        """Return the scores."""
        for chunk in chunks:
            if isinstance(chunk.data, Heard):
                return chunk.data
        raise ValueError("no chunk holds scores")
