"""The texts nearest to a query, in memory bounded by how many are wanted."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy
from numpy.typing import NDArray

Rows = NDArray[numpy.float32]


@dataclass(frozen=True, slots=True)
class Ranked:
    """A text with its cosine similarity to the query; `row` is its vector when it was kept."""

    index: int
    text: str
    score: numpy.float32
    row: Rows | None


class Ranking:
    """Keeps the `top` nearest texts (all without `top`); of two equally near ones the earlier comes first."""

    def __init__(self, query: Rows, *, top: int | None, vectors: bool) -> None:
        self._query = _unit(query.reshape(1, -1))[0]
        self._top, self._vectors = top, vectors
        self._kept: list[tuple[float, int, Ranked]] = []

    def add(self, first: int, texts: list[str], rows: Rows) -> None:
        """Rank texts numbered from `first`; `rows` is float32, shape (len(texts), dimensions)."""
        scores = _unit(rows) @ self._query
        for place, score in enumerate(scores):
            index = first + place
            entry = (float(score), -index, Ranked(index, texts[place], score, rows[place] if self._vectors else None))
            if self._top is None or len(self._kept) < self._top:
                heapq.heappush(self._kept, entry)
            else:
                heapq.heappushpop(self._kept, entry)

    def nearest(self) -> list[Ranked]:
        """Return what was kept, nearest first."""
        return [ranked for _, _, ranked in sorted(self._kept, key=lambda entry: entry[:2], reverse=True)]


def _unit(rows: Rows) -> Rows:
    lengths = numpy.linalg.norm(rows, axis=1, keepdims=True)
    unit: Rows = rows / numpy.maximum(lengths, numpy.finfo(numpy.float32).tiny)
    return unit
