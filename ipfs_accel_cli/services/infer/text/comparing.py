"""What can be told from vectors of texts: which are near to which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy
from numpy.typing import NDArray

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.engines.exchange.text import EmbedOptions, Role, Texts
from ipfs_accel_cli.services.infer.opening import Opened
from ipfs_accel_cli.tasks.embed import Embed

Rows = NDArray[numpy.float32]
_AT_ONCE = 256


def unit_vectors(opened: Opened, texts: Sequence[str], role: Role = "text", batch: int = 32) -> Rows:
    """Return vectors of length 1, shape (texts, dimensions)."""
    task = Embed()
    parts = []
    for begin in range(0, len(texts), _AT_ONCE):
        if begin:
            current().progress(begin, len(texts), "sentences compared")
        inputs = Texts(tuple(texts[begin : begin + _AT_ONCE]), role)
        parts.append(opened.answer(task, task.prepare(inputs, EmbedOptions(batch))).rows)
    return unit(numpy.concatenate(parts))


def unit(rows: NDArray[Any]) -> Rows:
    """Scale rows to length 1; a row of zeros stays one."""
    lengths = numpy.linalg.norm(rows, axis=1, keepdims=True)
    scaled: Rows = rows / numpy.maximum(lengths, numpy.finfo(numpy.float32).tiny)
    return scaled


def central(rows: Rows, count: int) -> list[int]:
    """Return which `count` rows stand for all of them, in their order.

    A row's centrality is its mean cosine to all, which is its product with their mean. After each choice what is like
    the chosen counts for less (Carbonell and Goldstein 1998), so that one thing is not said twice.
    """
    worth = rows @ rows.mean(axis=0)
    likeness = numpy.zeros(len(rows), dtype=numpy.float32)
    chosen: list[int] = []
    while len(chosen) < min(count, len(rows)):
        marginal = 0.7 * worth - 0.3 * likeness
        marginal[chosen] = -numpy.inf
        chosen.append(int(marginal.argmax()))
        likeness = numpy.maximum(likeness, rows @ rows[chosen[-1]])
    return sorted(chosen)
