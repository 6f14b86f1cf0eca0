"""The task `image-generate`: words into a picture."""

from __future__ import annotations

import math
from collections.abc import Iterable

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.engines.base import Chunk, Request
from ipfs_accel_cli.engines.exchange.multimodal import Drawn, DrawOptions, Wish
from ipfs_accel_cli.tasks.generate import LARGEST_SEED

MOST_STEPS = 1000
LONGEST_SIDE = 2048


class ImageGenerate:
    """A wish in, a picture out."""

    name = "image-generate"

    def prepare(self, inputs: Wish, options: DrawOptions) -> Request:
        """Return a request for one picture."""
        if not inputs.text.strip():
            raise Invalid("the prompt is empty")
        if not 1 <= options.steps <= MOST_STEPS:
            raise Invalid(f"--steps must be 1 to {MOST_STEPS}, not {options.steps}")
        if not (math.isfinite(options.guidance) and options.guidance >= 0):
            raise Invalid(f"--guidance must be 0 or more, not {options.guidance}")
        if not 0 <= options.seed <= LARGEST_SEED:
            raise Invalid(f"--seed must be between 0 and {LARGEST_SEED}, not {options.seed}")
        for side in (options.width, options.height):
            if not 0 <= side <= LONGEST_SIDE:
                raise Invalid(f"a side is at most {LONGEST_SIDE} pixels, not {side}")
        return Request(self.name, inputs, options)

    def collect(self, chunks: Iterable[Chunk]) -> Drawn:
        """Return the picture."""
        drawn = [chunk.data for chunk in chunks if isinstance(chunk.data, Drawn)]
        if not drawn:
            raise ValueError("no chunk holds a picture")
        return drawn[-1]
