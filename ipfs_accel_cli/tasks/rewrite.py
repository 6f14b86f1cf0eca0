"""The tasks `summarize` and `translate`: texts into other texts."""

from __future__ import annotations

import math
from collections.abc import Iterable

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.engines.base import Chunk, Request
from ipfs_accel_cli.engines.exchange.text import RewriteOptions, Rewritten, Texts
from ipfs_accel_cli.tasks.embed import LARGEST_BATCH
from ipfs_accel_cli.tasks.generate import LARGEST_SEED

MOST_BEAMS = 64


class Rewrite:
    """Texts in, one text each out, in their order."""

    name = ""

    def prepare(self, inputs: Texts, options: RewriteOptions) -> Request:
        """Return a request for one or more texts, none of them empty."""
        if not inputs.texts:
            raise Invalid(f"there is no text to {self.name}")
        if any(not text.strip() for text in inputs.texts):
            raise Invalid(f"an empty text is nothing to {self.name}")
        check_rewriting(options)
        return Request(self.name, inputs, options)

    def collect(self, chunks: Iterable[Chunk]) -> tuple[Rewritten, ...]:
        """Return the whole text of each position, with the counts and the reason of its last piece."""
        pieces: dict[int, list[Rewritten]] = {}
        for chunk in chunks:
            if isinstance(chunk.data, Rewritten):
                pieces.setdefault(chunk.data.position, []).append(chunk.data)
        if not pieces:
            raise ValueError("no chunk holds text")
        return tuple(_joined(pieces[position]) for position in sorted(pieces))


class Summarize(Rewrite):
    """Texts in, a short one each out."""

    name = "summarize"


class Translate(Rewrite):
    """Texts in, the same in another language out."""

    name = "translate"


def check_rewriting(options: RewriteOptions) -> None:
    """Raise Invalid for options that make no sense."""
    if options.max_tokens < 1:
        raise Invalid(f"--max-tokens must be at least 1, not {options.max_tokens}")
    if not 1 <= options.beams <= MOST_BEAMS:
        raise Invalid(f"--beams must be 1 to {MOST_BEAMS}, not {options.beams}")
    if not (math.isfinite(options.temperature) and options.temperature >= 0):
        raise Invalid(f"--temperature must be 0 or more, not {options.temperature}")
    if options.beams > 1 and options.temperature > 0:
        raise Invalid("beams look for the likeliest text: a --temperature above 0 needs --beams 1")
    if not math.isfinite(options.length_penalty):
        raise Invalid(f"--length-penalty must be a number, not {options.length_penalty}")
    if not 0 <= options.seed <= LARGEST_SEED:
        raise Invalid(f"--seed must be between 0 and {LARGEST_SEED}, not {options.seed}")
    if not 1 <= options.batch <= LARGEST_BATCH:
        raise Invalid(f"a batch holds 1 to {LARGEST_BATCH} texts, not {options.batch}")


def _joined(pieces: list[Rewritten]) -> Rewritten:
    last = pieces[-1]
    text = "".join(piece.text for piece in pieces)
    return Rewritten(last.position, text, last.tokens, last.read, last.truncated, last.finish_reason)
