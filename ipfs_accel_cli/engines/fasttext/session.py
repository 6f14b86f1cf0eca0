"""Labels of texts by fastText, a batch a step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.engines.base import Chunk, Request, RequestId
from ipfs_accel_cli.engines.exchange.text import EmbedOptions, Scores, Texts

# What follows says nothing more about a text, and fastText reads every word of it.
LONGEST_CHARACTERS = 1 << 16


@dataclass(slots=True)
class _Work:
    texts: tuple[str, ...]
    batch: int
    done: int = 0


class TextSession:
    """One loaded classifier of fastText."""

    def __init__(self, name: str, model: Any, labels: tuple[str, ...]) -> None:
        self._name, self._model, self._labels = name, model, labels
        self._places = {f"__label__{label}": place for place, label in enumerate(labels)}
        self._active: dict[RequestId, _Work] = {}

    def submit(self, request: Request) -> None:
        """Take texts on; raises Invalid for anything else."""
        if not isinstance(request.payload, Texts) or not isinstance(request.options, EmbedOptions):
            raise Invalid(f"{self._name} was loaded to classify texts, not to {request.kind}")
        if request.kind != "classify":
            raise Invalid(f"{self._name} was loaded to classify texts, not to {request.kind}")
        self._active[request.id] = _Work(request.payload.texts, request.options.batch)

    def step(self) -> Sequence[tuple[RequestId, Chunk]]:
        """Classify a batch of every request."""
        found = []
        for request, work in list(self._active.items()):
            texts = work.texts[work.done : work.done + work.batch]
            positions = tuple(range(work.done, work.done + len(texts)))
            work.done += len(texts)
            finished = work.done >= len(work.texts)
            if finished:
                del self._active[request]
            found.append((request, Chunk(self._scored(positions, texts), finished=finished)))
        return found

    def abort(self, request: RequestId) -> None:
        """Forget a request."""
        self._active.pop(request, None)

    def close(self) -> None:
        """Let go of the model."""
        self._active.clear()
        self._model = None

    def _scored(self, positions: tuple[int, ...], texts: Sequence[str]) -> Scores:
        if self._model is None:
            raise Invalid(f"{self._name} was closed")
        rows = numpy.zeros((len(texts), len(self._labels)), numpy.float32)
        for row, text in zip(rows, texts, strict=True):
            # It reads one line; what tells lines and fields apart tells words apart, and NUL would end the text.
            line = " ".join(text[:LONGEST_CHARACTERS].replace("\0", " ").split())
            for label, score in zip(*self._model.predict(line, k=-1, threshold=-1.0), strict=True):
                # It adds up to a little more than 1 by the rounding of its table of logarithms.
                row[self._places[label]] = min(1.0, score)
        longer = sum(len(text) > LONGEST_CHARACTERS for text in texts)
        words = sum(len(text[:LONGEST_CHARACTERS].split()) for text in texts)
        return Scores(positions, rows, self._labels, longer, words)
