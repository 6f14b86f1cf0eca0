"""The task `pair-embed`: texts, or pictures, into the space that both share."""

from __future__ import annotations

from collections.abc import Iterable

import numpy

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.engines.base import Chunk, Request
from ipfs_accel_cli.engines.exchange.image import ImageOptions, Images
from ipfs_accel_cli.engines.exchange.multimodal import Paired
from ipfs_accel_cli.engines.exchange.text import Texts

LARGEST_BATCH = 1024


class PairEmbed:
    """Texts or pictures in, one vector each out, in their order. A request holds either."""

    name = "pair-embed"

    def prepare(self, inputs: Texts | Images, options: ImageOptions) -> Request:
        """Return a request for one or more texts, or pictures."""
        if not (inputs.texts if isinstance(inputs, Texts) else inputs.images):
            raise Invalid("there is nothing to embed")
        if not 1 <= options.batch <= LARGEST_BATCH:
            raise Invalid(f"a batch holds 1 to {LARGEST_BATCH} texts or pictures, not {options.batch}")
        return Request(self.name, inputs, options)

    def collect(self, chunks: Iterable[Chunk]) -> Paired:
        """Return all vectors of a request, float32, shape (texts or pictures, dimensions)."""
        parts = [chunk.data for chunk in chunks if isinstance(chunk.data, Paired)]
        if not parts:
            raise ValueError("no chunk holds vectors")
        positions = numpy.concatenate([numpy.array(part.positions, dtype=numpy.int64) for part in parts])
        rows = numpy.concatenate([part.rows for part in parts])[numpy.argsort(positions)]
        last = parts[-1]
        truncated = max(part.truncated for part in parts)
        return Paired(tuple(range(len(rows))), rows, last.scale, last.bias, last.several, truncated)
