"""The task `score`: texts into how likely a model finds them."""

from __future__ import annotations

from collections.abc import Iterable

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.engines.base import Chunk, Request
from ipfs_accel_cli.engines.exchange.text import Likelihoods, ScoreOptions, Texts


class Score:
    """Texts in, the negative log-likelihood of each out, in the order of the texts."""

    name = "score"

    def prepare(self, inputs: Texts, options: ScoreOptions) -> Request:
        """Return a request for one or more texts."""
        if not inputs.texts:
            raise Invalid("there is no text to score")
        if options.window < 2:
            raise Invalid(f"a window holds at least 2 tokens, not {options.window}")
        if not 0 <= options.stride < options.window:
            raise Invalid(f"a stride is below the window of {options.window} tokens, not {options.stride}")
        return Request(self.name, inputs, options)

    def collect(self, chunks: Iterable[Chunk]) -> Likelihoods:
        """Return the nats and tokens of all texts of a request."""
        parts = [chunk.data for chunk in chunks if isinstance(chunk.data, Likelihoods)]
        if not parts:
            raise ValueError("no chunk holds likelihoods")
        sums: dict[int, tuple[float, int]] = {}
        for part in parts:
            for position, nats, tokens in zip(part.positions, part.nats, part.tokens, strict=True):
                before = sums.get(position, (0.0, 0))
                sums[position] = before[0] + nats, before[1] + tokens
        found = [sums[position] for position in sorted(sums)]
        return Likelihoods(tuple(sorted(sums)), tuple(one for one, _ in found), tuple(count for _, count in found))
