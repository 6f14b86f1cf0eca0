"""Vectors of texts: in their order, or ranked by nearness to a query."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy

from ipfs_accel_cli.engines.exchange.text import Vectors
from ipfs_accel_cli.services.infer.floats import shortest
from ipfs_accel_cli.services.infer.ranking import Ranking
from ipfs_accel_cli.services.infer.results import Embedding
from ipfs_accel_cli.services.infer.text_run import TextRun


@dataclass(frozen=True, slots=True)
class Query:
    """What texts are ranked against: the `top` nearest (None: all), with or without their vectors."""

    text: str
    top: int | None = None
    vectors: bool = False


def in_order(run: TextRun[Vectors], windows: Iterable[list[str]]) -> Iterator[Embedding]:
    """Yield the vector of every text in the order of the texts."""
    for first, texts, vectors in run.windows(windows):
        for place, vector in enumerate(shortest(vectors.rows).tolist()):
            yield Embedding(
                index=first + place,
                text=texts[place],
                dimensions=len(vector),
                pooling=vectors.pooling,
                engine=run.engine,
                agreement=run.agreement,
                vector=vector,
            )


def ranked(run: TextRun[Vectors], windows: Iterable[list[str]], query: Query) -> Iterator[Embedding]:
    """Read all texts, then yield the nearest to the query first."""
    asked = run.ask([query.text], "query")
    ranking = Ranking(asked.rows, top=query.top, vectors=query.vectors)
    for first, texts, found in run.windows(windows, "document"):
        ranking.add(first, texts, found.rows)
    nearest = ranking.nearest()
    scores = shortest(numpy.array([near.score for near in nearest], dtype=numpy.float32)).tolist()
    for rank, (near, score) in enumerate(zip(nearest, scores, strict=True), 1):
        yield Embedding(
            index=near.index,
            text=near.text,
            rank=rank,
            score=score,
            dimensions=asked.rows.shape[1],
            pooling=asked.pooling,
            engine=run.engine,
            agreement=run.agreement,
            vector=None if near.row is None else shortest(near.row).tolist(),
        )
