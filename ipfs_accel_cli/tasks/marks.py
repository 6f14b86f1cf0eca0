"""The tasks about the tokens of texts: `fill-mask` and `token-classify`."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.engines.base import Chunk, Request
from ipfs_accel_cli.engines.exchange.text import EmbedOptions, Fillings, FillOptions, Guess, Tag, Tags, Texts
from ipfs_accel_cli.engines.marking import MASK
from ipfs_accel_cli.tasks.pairs import check_batch

MOST_GUESSES = 1000
# How models and people write it; a session is given one way.
_MASKS = re.compile(r"<mask>|\[MASK\]|\{mask\}", re.IGNORECASE)


class FillMask:
    """Texts with masks in, the likeliest tokens for each mask out, in the order of the texts."""

    name = "fill-mask"

    def prepare(self, inputs: Texts, options: FillOptions) -> Request:
        """Return a request for texts, each of which has a mask: `<mask>`, `[MASK]` or `{mask}`."""
        if not inputs.texts:
            raise Invalid("there is no text with a mask")
        for text in inputs.texts:
            if not _MASKS.search(text):
                raise Invalid(
                    f"the text {text[:40]!r} has no mask: write <mask>, [MASK] or {{mask}} where a token is missing",
                    suggestion="ipfs-accel infer fill-mask 'The cat sat on the [MASK].'",
                )
        if not 1 <= options.top <= MOST_GUESSES:
            raise Invalid(f"--top must be 1 to {MOST_GUESSES}, not {options.top}")
        check_batch(options.batch)
        texts = tuple(with_masks(text) for text in inputs.texts)
        return Request(self.name, Texts(texts, inputs.role), options)

    def collect(self, chunks: Iterable[Chunk]) -> tuple[tuple[tuple[Guess, ...], ...], ...]:
        """Return for each text, for each mask, the guesses, the best first."""
        parts = [chunk.data for chunk in chunks if isinstance(chunk.data, Fillings)]
        if not parts:
            raise ValueError("no chunk holds guesses")
        rows = {at: row for part in parts for at, row in zip(part.positions, part.rows, strict=True)}
        return tuple(rows[at] for at in sorted(rows))


def with_masks(text: str) -> str:
    """Return a text with every mask written as sessions are given it, `{mask}`."""
    return _MASKS.sub(MASK, text)


class TokenClassify:
    """Texts in, their tokens with a label each out, in the order of the texts."""

    name = "token-classify"

    def prepare(self, inputs: Texts, options: EmbedOptions) -> Request:
        """Return a request for one or more texts."""
        if not inputs.texts:
            raise Invalid("there is no text to label")
        check_batch(options.batch)
        return Request(self.name, inputs, options)

    def collect(self, chunks: Iterable[Chunk]) -> tuple[tuple[Tag, ...], ...]:
        """Return the tags of each text."""
        parts = [chunk.data for chunk in chunks if isinstance(chunk.data, Tags)]
        if not parts:
            raise ValueError("no chunk holds tags")
        rows = {at: row for part in parts for at, row in zip(part.positions, part.rows, strict=True)}
        return tuple(rows[at] for at in sorted(rows))
