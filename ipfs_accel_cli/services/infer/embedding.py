"""Texts through a loaded encoder, window by window: in their order, or ranked by nearness to a query."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass

import numpy

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.engines.base import EmbedOptions, Request, Role, Texts, Vectors
from ipfs_accel_cli.services.infer.floats import shortest
from ipfs_accel_cli.services.infer.ranking import Ranking
from ipfs_accel_cli.services.infer.results import Embedding
from ipfs_accel_cli.services.infer.stats import Watch
from ipfs_accel_cli.services.infer.worker import Answer, Worker
from ipfs_accel_cli.tasks.base import Task

EmbedTask = Task[Texts, EmbedOptions, Vectors]


@dataclass(frozen=True, slots=True)
class Query:
    """What texts are ranked against: the `top` nearest (None: all), with or without their vectors."""

    text: str
    top: int | None = None
    vectors: bool = False


@dataclass(slots=True)
class EmbedRun:
    """One run of the task `embed`; counts what it did."""

    worker: Worker
    task: EmbedTask
    options: EmbedOptions
    watch: Watch
    count: int = 0
    truncated: int = 0

    def in_order(self, windows: Iterable[list[str]]) -> Iterator[Embedding]:
        """Yield the vector of every text in the order of the texts."""
        for first, texts, vectors in self._windows(windows, "text"):
            for place, vector in enumerate(shortest(vectors.rows).tolist()):
                yield Embedding(
                    index=first + place,
                    text=texts[place],
                    dimensions=len(vector),
                    pooling=vectors.pooling,
                    vector=vector,
                )

    def ranked(self, windows: Iterable[list[str]], query: Query) -> Iterator[Embedding]:
        """Read all texts, then yield the nearest to the query first."""
        with closing(self.worker.ask(self._request([query.text], "query"))) as answer:
            asked = self.task.collect(answer)
        ranking = Ranking(asked.rows, top=query.top, vectors=query.vectors)
        for first, texts, found in self._windows(windows, "document"):
            ranking.add(first, texts, found.rows)
        nearest = ranking.nearest()
        scores = shortest(numpy.array([ranked.score for ranked in nearest], dtype=numpy.float32)).tolist()
        for rank, (ranked, score) in enumerate(zip(nearest, scores, strict=True), 1):
            yield Embedding(
                index=ranked.index,
                text=ranked.text,
                rank=rank,
                score=score,
                dimensions=asked.rows.shape[1],
                pooling=asked.pooling,
                vector=None if ranked.row is None else shortest(ranked.row).tolist(),
            )

    def _windows(self, windows: Iterable[list[str]], role: Role) -> Iterator[tuple[int, list[str], Vectors]]:
        """Yield (index of the first text, texts, their vectors).

        The first window is handed over before the second is read; from then on one is computed while the one before
        it is handed over.
        """
        pending: deque[tuple[list[str], Answer]] = deque()
        ahead = 0
        try:
            for texts in windows:
                pending.append((texts, self.worker.ask(self._request(texts, role))))
                if len(pending) > ahead:
                    yield self._finish(*pending.popleft())
                    ahead = 1
            while pending:
                yield self._finish(*pending.popleft())
        finally:
            for _, answer in pending:
                answer.close()

    def _finish(self, texts: list[str], answer: Answer) -> tuple[int, list[str], Vectors]:
        with closing(answer):
            vectors = self.task.collect(answer)
        self.watch.answered()
        first, self.count = self.count, self.count + len(texts)
        self.truncated += vectors.truncated
        current().progress(self.count, None, "texts embedded")
        return first, texts, vectors

    def _request(self, texts: list[str], role: Role) -> Request:
        return self.task.prepare(Texts(tuple(texts), role), self.options)
