"""The task `classify`: texts into scores of labels."""

from __future__ import annotations

from collections.abc import Iterable

import numpy

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.engines.base import Chunk, Request
from ipfs_accel_cli.engines.exchange.text import EmbedOptions, Scores, Texts
from ipfs_accel_cli.tasks.embed import LARGEST_BATCH


class Classify:
    """Texts in, a score of each label out, in the order of the texts."""

    name = "classify"

    def prepare(self, inputs: Texts, options: EmbedOptions) -> Request:
        """Return a request for one or more texts."""
        if not inputs.texts:
            raise Invalid("there is no text to classify")
        if not 1 <= options.batch <= LARGEST_BATCH:
            raise Invalid(f"a batch holds 1 to {LARGEST_BATCH} texts, not {options.batch}")
        return Request(self.name, inputs, options)

    def collect(self, chunks: Iterable[Chunk]) -> Scores:
        """Return all scores of a request, float32, shape (texts, labels)."""
        parts = [chunk.data for chunk in chunks if isinstance(chunk.data, Scores)]
        if not parts:
            raise ValueError("no chunk holds scores")
        positions = numpy.concatenate([numpy.array(part.positions, dtype=numpy.int64) for part in parts])
        rows = numpy.concatenate([part.rows for part in parts])[numpy.argsort(positions)]
        truncated, tokens = max(part.truncated for part in parts), sum(part.tokens for part in parts)
        return Scores(tuple(range(len(rows))), rows, parts[0].labels, truncated, tokens)
