"""The task `embed`: texts into vectors."""

from __future__ import annotations

from collections.abc import Iterable

import numpy

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.engines.base import Chunk, Request
from ipfs_accel_cli.engines.exchange.text import EmbedOptions, Texts, Vectors

LARGEST_BATCH = 4096


class Embed:
    """Texts in, one vector each out, in the order of the texts."""

    name = "embed"

    def prepare(self, inputs: Texts, options: EmbedOptions) -> Request:
        """Return a request for one or more texts."""
        if not inputs.texts:
            raise Invalid("there is no text to embed")
        if not 1 <= options.batch <= LARGEST_BATCH:
            raise Invalid(f"a batch holds 1 to {LARGEST_BATCH} texts, not {options.batch}")
        return Request(self.name, inputs, options)

    def collect(self, chunks: Iterable[Chunk]) -> Vectors:
        """Return all vectors of a request, float32, shape (texts, dimensions)."""
        parts = [chunk.data for chunk in chunks if isinstance(chunk.data, Vectors)]
        if not parts:
            raise ValueError("no chunk holds vectors")
        positions = numpy.concatenate([numpy.array(part.positions, dtype=numpy.int64) for part in parts])
        rows = numpy.concatenate([part.rows for part in parts])[numpy.argsort(positions)]
        truncated, tokens = max(part.truncated for part in parts), sum(part.tokens for part in parts)
        return Vectors(tuple(range(len(rows))), rows, parts[0].pooling, truncated, tokens)
