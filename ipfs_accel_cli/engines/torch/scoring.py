"""How likely a decoder finds given texts, one window a step."""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.engines.base import Chunk, Request, RequestId
from ipfs_accel_cli.engines.exchange.text import Likelihoods, ScoreOptions, Texts
from ipfs_accel_cli.engines.torch.problems import computing

# Losses of so many tokens are computed at once: each needs a copy of its logits in float32.
_SLICE_TOKENS = 128


@dataclass(frozen=True, slots=True)
class _Piece:
    """One window of one text: `ids` are read, the tokens from `first` on (an index into `ids`) are scored."""

    request: RequestId
    position: int
    ids: Sequence[int]
    first: int
    last: bool


class Scoring:
    """Reads texts with a decoder and says how likely each of their tokens was after those before it."""

    def __init__(
        self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, device: torch.device, name: str
    ) -> None:
        self._model: Any = model
        self._tokenizer: Any = tokenizer
        self._device, self._name = device, name
        self._context: int | None = getattr(model.config, "max_position_embeddings", None)
        # Logits of a whole window can be larger than the model; only those of scored tokens are wanted.
        self._keeps = "logits_to_keep" in inspect.signature(model.forward).parameters
        self._pieces: deque[_Piece] = deque()

    def submit(self, request: Request) -> None:
        """Tokenize texts and cut them into windows; raise Invalid for a request of another task."""
        if not isinstance(request.payload, Texts) or not isinstance(request.options, ScoreOptions):
            raise Invalid(f"{self._name} was loaded to score texts, not to {request.kind}")
        window = min(request.options.window, self._context or request.options.window)
        stride = min(request.options.stride or max(1, window // 2), window - 1)
        texts = [[int(token) for token in self._tokenizer(text)["input_ids"]] for text in request.payload.texts]
        for position, ids in enumerate(texts):
            cut = list(windows(len(ids), window, stride))
            for begin, end, first in cut:
                last = position == len(texts) - 1 and end == cut[-1][1]
                self._pieces.append(_Piece(request.id, position, ids[begin:end], first - begin, last))

    def step(self) -> Sequence[tuple[RequestId, Chunk]]:
        """Read one window and tell what it adds."""
        if not self._pieces:
            return []
        piece = self._pieces.popleft()
        with torch.inference_mode(), computing(self._name):
            nats, tokens = self._scored(piece)
        return [(piece.request, Chunk(Likelihoods((piece.position,), (nats,), (tokens,)), finished=piece.last))]

    def abort(self, request: RequestId) -> None:
        """Forget a request."""
        self._pieces = deque(piece for piece in self._pieces if piece.request != request)

    def close(self) -> None:
        """Let go of the model."""
        self._pieces.clear()
        self._model = None

    def _scored(self, piece: _Piece) -> tuple[float, int]:
        """Return the summed negative log-likelihood, in nats, and how many tokens it is of."""
        targets = piece.ids[piece.first :]
        if not targets:
            return 0.0, 0
        ids = torch.tensor([piece.ids], device=self._device)
        # The scores of a token are those at the place before it.
        places = len(targets) + 1
        extra = {"logits_to_keep": places} if self._keeps else {}
        logits = self._model(input_ids=ids, use_cache=False, **extra).logits[0, -places:-1]
        wanted = ids[0, piece.first :]
        nats = 0.0
        for at in range(0, len(targets), _SLICE_TOKENS):
            part = logits[at : at + _SLICE_TOKENS].float()
            loss = torch.nn.functional.cross_entropy(part, wanted[at : at + _SLICE_TOKENS], reduction="sum")
            nats += float(loss)
        return nats, len(targets)


def windows(tokens: int, window: int, stride: int) -> Iterator[tuple[int, int, int]]:
    """Yield (begin, end, first scored) of the windows over a text; every token but the first is scored once.

    A window begins `stride` tokens after the one before it, so a scored token has at least `window - stride` tokens
    before it wherever the text has them. The strided perplexity of the documentation of transformers.
    """
    scored = 1
    begin = 0
    while True:
        end = min(begin + window, tokens)
        yield begin, end, max(scored, begin + 1)
        if end >= tokens:
            return
        scored, begin = end, begin + stride
