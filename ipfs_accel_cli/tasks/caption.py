"""The task `caption`: pictures into words."""

from __future__ import annotations

import math
from collections.abc import Iterable

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.engines.base import Chunk, Request
from ipfs_accel_cli.engines.exchange.image import Images
from ipfs_accel_cli.engines.exchange.multimodal import CaptionOptions, Captions
from ipfs_accel_cli.tasks.generate import LARGEST_SEED

LARGEST_BATCH = 256


class Caption:
    """Pictures in, a caption each out, in the order of the pictures."""

    name = "caption"

    def prepare(self, inputs: Images, options: CaptionOptions) -> Request:
        """Return a request for one or more pictures."""
        if not inputs.images:
            raise Invalid("there is no picture to caption")
        if not 1 <= options.batch <= LARGEST_BATCH:
            raise Invalid(f"a batch holds 1 to {LARGEST_BATCH} pictures, not {options.batch}")
        if options.max_tokens < 1:
            raise Invalid(f"--max-tokens must be at least 1, not {options.max_tokens}")
        if not (math.isfinite(options.temperature) and options.temperature >= 0):
            raise Invalid(f"--temperature must be 0 or more, not {options.temperature}")
        if not 0 <= options.seed <= LARGEST_SEED:
            raise Invalid(f"--seed must be between 0 and {LARGEST_SEED}, not {options.seed}")
        return Request(self.name, inputs, options)

    def collect(self, chunks: Iterable[Chunk]) -> Captions:
        """Return all captions of a request."""
        parts = [chunk.data for chunk in chunks if isinstance(chunk.data, Captions)]
        if not parts:
            raise ValueError("no chunk holds captions")
        said = {
            at: (text, tokens)
            for part in parts
            for at, text, tokens in zip(part.positions, part.texts, part.tokens, strict=True)
        }
        texts, tokens = zip(*(said[at] for at in sorted(said)), strict=True)
        return Captions(tuple(sorted(said)), texts, tokens)
