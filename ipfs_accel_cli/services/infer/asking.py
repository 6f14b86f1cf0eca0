"""A loaded model that is asked many things one after the other, with plain values in and out."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy

from ipfs_accel_cli.engines.base import Request
from ipfs_accel_cli.engines.exchange.text import EmbedOptions, GenerateOptions, Piece, Prompt, Role, ScoreOptions, Texts
from ipfs_accel_cli.services.infer.floats import shortest
from ipfs_accel_cli.services.infer.runtime import Warm
from ipfs_accel_cli.tasks import TASKS


@dataclass(frozen=True, slots=True)
class Asking:
    """What a warm model answers to the task that it was loaded for; another task raises Invalid."""

    warm: Warm

    @property
    def engine(self) -> str:
        """The engine that runs it."""
        return self.warm.key.engine

    @property
    def device(self) -> str:
        """Where it runs."""
        return self.warm.key.device

    @property
    def dtype(self) -> str:
        """What it computes in."""
        return self.warm.plan.dtype

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return a vector for each text, float32."""
        found = self._collected("embed", Texts(tuple(texts)), EmbedOptions())
        vectors: list[list[float]] = shortest(found.rows).tolist()
        return vectors

    def rows(self, texts: Sequence[str], role: Role) -> numpy.ndarray[Any, Any]:
        """Return a vector for each text as a row, float32; `role` chooses the prompt that a model wants."""
        found = self._collected("embed", Texts(tuple(texts), role), EmbedOptions())
        rows: numpy.ndarray[Any, Any] = found.rows
        return rows

    def classify(self, texts: Sequence[str]) -> list[str]:
        """Return the likeliest label of each text."""
        found = self._collected("classify", Texts(tuple(texts)), EmbedOptions())
        return [found.labels[at] for at in numpy.argmax(found.rows, axis=1).tolist()]

    def generate(self, prompt: str, max_tokens: int, stop: Sequence[str]) -> str:
        """Return what follows a prompt, the likeliest token each time."""
        piece: Piece = self._collected("generate", Prompt(prompt), GenerateOptions(max_tokens, stop=tuple(stop)))
        return piece.text

    def score(self, texts: Sequence[str], window: int) -> list[tuple[float, int]]:
        """Return (summed negative log-likelihood in nats, tokens that it is of) for each text."""
        found = self._collected("score", Texts(tuple(texts)), ScoreOptions(window))
        return list(zip(found.nats, found.tokens, strict=True))

    def _collected(self, name: str, inputs: Texts | Prompt, options: Any) -> Any:
        task = TASKS.load(name)()
        request: Request = task.prepare(inputs, options)
        with closing(self.warm.worker.ask(request)) as answer:
            return task.collect(answer)
