"""Embedding sessions: texts of like length go through the encoder together."""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from ipfs_accel_cli.core.errors import Invalid, MalformedContent
from ipfs_accel_cli.engines.base import Chunk, EmbedOptions, Request, RequestId, Texts, Vectors
from ipfs_accel_cli.engines.sentence import Sentence
from ipfs_accel_cli.engines.torch.pooling import Step, pool
from ipfs_accel_cli.engines.torch.problems import computing


@dataclass(slots=True)
class _Work:
    """What is left of one request: the positions still to do, the longest text first."""

    features: dict[str, list[list[int]]]
    positions: deque[int]
    batch: int
    truncated: int


class EncoderSession:
    """One loaded encoder. A step takes one batch of each request that it holds."""

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        sentence: Sentence,
        head: Step,
        device: torch.device,
        name: str,
    ) -> None:
        self._model: Any = model
        self._tokenizer: Any = tokenizer
        self._sentence, self._head, self._device, self._name = sentence, head, device, name
        self._limit = _limit(sentence, model, tokenizer)
        accepted = inspect.signature(model.forward).parameters
        self._fill = {"input_ids": tokenizer.pad_token_id or 0, "token_type_ids": tokenizer.pad_token_type_id}
        self._inputs = [key for key in tokenizer.model_input_names if key in accepted and key in self._fill]
        self._masked = "attention_mask" in accepted
        self._active: dict[RequestId, _Work] = {}

    def submit(self, request: Request) -> None:
        """Tokenize all texts of a request; what is longer than the model reads is cut off and counted."""
        if not isinstance(request.payload, Texts) or not isinstance(request.options, EmbedOptions):
            raise Invalid(f"{self._name} was loaded to embed texts, not to {request.kind}")
        texts = [self._sentence.prompt(request.payload.role) + text for text in request.payload.texts]
        if self._sentence.lower_case:
            texts = [text.lower() for text in texts]
        encoded = self._tokenizer(texts, truncation=self._limit is not None, max_length=self._limit)
        # Some tokenizers make nothing of an empty text, and no model reads nothing.
        features = {key: [row or [self._fill[key]] for row in encoded[key]] for key in self._inputs}
        truncated = self._truncated(features["input_ids"], encoded)
        order = sorted(range(len(texts)), key=lambda position: -len(features["input_ids"][position]))
        self._active[request.id] = _Work(features, deque(order), request.options.batch, truncated)

    def step(self) -> Sequence[tuple[RequestId, Chunk]]:
        """Embed one batch of each request."""
        done = []
        for request, work in list(self._active.items()):
            positions = tuple(work.positions.popleft() for _ in range(min(work.batch, len(work.positions))))
            with torch.inference_mode(), computing(self._name):
                rows = self._embed(work.features, positions)
            if not numpy.isfinite(rows).all():
                raise MalformedContent(f"{self._name} answers with values that are no numbers; its weights are damaged")
            vectors = Vectors(positions, rows, self._sentence.pooling, work.truncated)
            done.append((request, Chunk(vectors, finished=not work.positions)))
            if not work.positions:
                del self._active[request]
        return done

    def abort(self, request: RequestId) -> None:
        """Forget a request."""
        self._active.pop(request, None)

    def close(self) -> None:
        """Let go of the weights."""
        self._active.clear()
        self._model = self._head = None  # type: ignore[assignment]

    def _embed(self, features: dict[str, list[list[int]]], positions: Sequence[int]) -> NDArray[numpy.float32]:
        """Return vectors, shape (len(positions), dimensions)."""
        taken = {key: [rows[at] for at in positions] for key, rows in features.items()}
        inputs = {key: self._padded(rows, self._fill[key]) for key, rows in taken.items()}
        mask = self._padded([[1] * len(row) for row in taken["input_ids"]], 0)
        states = self._model(**inputs, **({"attention_mask": mask} if self._masked else {}))[0]
        rows: NDArray[numpy.float32] = self._head(pool(states.float(), mask, self._sentence.modes)).cpu().numpy()
        return rows

    def _padded(self, rows: list[list[int]], fill: int) -> Tensor:
        longest = max(map(len, rows))
        return torch.tensor([row + [fill] * (longest - len(row)) for row in rows], device=self._device)

    def _truncated(self, rows: list[list[int]], encoded: Any) -> int:
        """Count the texts that were cut: of those that fill the limit, the ones with something left over."""
        full = [at for at, row in enumerate(rows) if len(row) == self._limit]
        return sum(bool(encoded.encodings[at].overflowing) for at in full) if encoded.encodings else len(full)


def _limit(sentence: Sentence, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> int | None:
    """Return the most tokens that a text may have; None when neither the folder nor the model sets a bound."""
    if sentence.max_tokens is not None:
        return sentence.max_tokens
    positions = getattr(model.config, "max_position_embeddings", None)
    # A tokenizer that knows no bound says 10**30.
    bounds = (positions, tokenizer.model_max_length)
    return min((bound for bound in bounds if isinstance(bound, int) and 0 < bound < 1 << 30), default=None)
