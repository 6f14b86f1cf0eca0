"""The task `generate`: a prompt into text that goes on from it."""

from __future__ import annotations

import math
from collections.abc import Iterable

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.engines.base import Chunk, Request
from ipfs_accel_cli.engines.exchange.text import GenerateOptions, Piece, Prompt

LARGEST_SEED = (1 << 63) - 1


class Generate:
    """A prompt in, its continuation out."""

    name = "generate"

    def prepare(self, inputs: Prompt, options: GenerateOptions) -> Request:
        """Return a request; the prompt itself may be empty where a model begins by itself."""
        if options.max_tokens < 1:
            raise Invalid(f"--max-tokens must be at least 1, not {options.max_tokens}")
        if not (math.isfinite(options.temperature) and options.temperature >= 0):
            raise Invalid(f"--temperature must be 0 or more, not {options.temperature}")
        if options.top_k < 0:
            raise Invalid(f"--top-k must be 0 (no cut) or more, not {options.top_k}")
        if not 0 < options.top_p <= 1:
            raise Invalid(f"--top-p must be above 0 and at most 1 (no cut), not {options.top_p}")
        if not 0 <= options.seed <= LARGEST_SEED:
            raise Invalid(f"--seed must be between 0 and {LARGEST_SEED}, not {options.seed}")
        if "" in options.stop:
            raise Invalid("a stop string must not be empty")
        return Request(self.name, inputs, options)

    def collect(self, chunks: Iterable[Chunk]) -> Piece:
        """Return the whole text, with the counts and the reason of the last piece."""
        pieces = [chunk.data for chunk in chunks if isinstance(chunk.data, Piece)]
        if not pieces:
            raise ValueError("no chunk holds text")
        last = pieces[-1]
        text = "".join(piece.text for piece in pieces)
        return Piece(text, last.tokens, last.prompt_tokens, last.finish_reason)
