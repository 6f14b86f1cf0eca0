"""Sessions of encoders, for every engine that has one: texts of like length go through the model together."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy
from numpy.typing import NDArray

from ipfs_accel_cli.core.errors import Invalid, MalformedContent
from ipfs_accel_cli.engines.base import Chunk, Request, RequestId
from ipfs_accel_cli.engines.exchange.text import EmbedOptions, Pairs, Role, Scores, Texts, Vectors

Ids = NDArray[numpy.int64]
# Inputs by name, each (texts, tokens), and the mask, 1 where text is; padding is on the right. Gives (texts, width).
Compute = Callable[[dict[str, Ids], Ids], NDArray[numpy.float32]]


@dataclass(frozen=True, slots=True)
class Reading:
    """How a model reads texts: what is put before them, in lower case or not, how many tokens at most, as which inputs.

    `inputs` gives for each input what padding is filled with; `input_ids` is among them.
    """

    inputs: Mapping[str, int]
    max_tokens: int | None = None
    lower_case: bool = False
    prompt: Callable[[Role], str] = lambda _: ""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What the rows are: vectors made with a `pooling`, or scores of `labels`; `task` is what the session answers."""

    task: str
    pooling: str = ""
    labels: tuple[str, ...] = ()


@dataclass(slots=True)
class _Work:
    """What is left of one request: the positions still to do, the longest text first."""

    features: dict[str, list[list[int]]]
    positions: deque[int]
    batch: int
    truncated: int


class EncoderSession:
    """One loaded encoder. A step takes one batch of each request that it holds."""

    def __init__(self, name: str, tokenizer: Any, reading: Reading, meaning: Meaning, compute: Compute) -> None:
        self._name, self._reading, self._meaning = name, reading, meaning
        self._tokenizer: Any = tokenizer
        self._compute: Compute | None = compute
        self._active: dict[RequestId, _Work] = {}

    def submit(self, request: Request) -> None:
        """Tokenize all texts of a request; what is longer than the model reads is cut off and counted.

        Pairs of texts are read together, where the answer is scores.
        """
        payload, reading = request.payload, self._reading
        taken = isinstance(payload, Texts) or (isinstance(payload, Pairs) and bool(self._meaning.labels))
        if not taken or not isinstance(request.options, EmbedOptions) or request.kind != self._meaning.task:
            raise Invalid(f"{self._name} was loaded to {self._meaning.task} texts, not to {request.kind}")
        texts: list[str] = []
        also: list[list[str]] = []
        if isinstance(payload, Pairs):
            texts, also = [one for one, _ in payload.pairs], [[other for _, other in payload.pairs]]
        elif isinstance(payload, Texts):
            texts = [reading.prompt(payload.role) + text for text in payload.texts]
        if reading.lower_case:
            texts = [text.lower() for text in texts]
        cut = reading.max_tokens is not None
        encoded = self._tokenizer(texts, *also, truncation=cut, max_length=reading.max_tokens)
        # Some tokenizers make nothing of an empty text, and no model reads nothing.
        features = {key: [row or [fill] for row in encoded[key]] for key, fill in reading.inputs.items()}
        order = sorted(range(len(texts)), key=lambda position: -len(features["input_ids"][position]))
        truncated = self._truncated(features["input_ids"], encoded)
        self._active[request.id] = _Work(features, deque(order), request.options.batch, truncated)

    def step(self) -> Sequence[tuple[RequestId, Chunk]]:
        """Run one batch of each request."""
        done = []
        for request, work in list(self._active.items()):
            positions = tuple(work.positions.popleft() for _ in range(min(work.batch, len(work.positions))))
            rows = self._rows(work.features, positions)
            if not numpy.isfinite(rows).all():
                raise MalformedContent(f"{self._name} answers with values that are no numbers; its weights are damaged")
            done.append((request, Chunk(self._data(positions, rows, work), finished=not work.positions)))
            if not work.positions:
                del self._active[request]
        return done

    def abort(self, request: RequestId) -> None:
        """Forget a request."""
        self._active.pop(request, None)

    def close(self) -> None:
        """Let go of the weights."""
        self._active.clear()
        self._compute = None

    def _rows(self, features: dict[str, list[list[int]]], positions: Sequence[int]) -> NDArray[numpy.float32]:
        if self._compute is None:
            raise Invalid(f"{self._name} was closed")
        taken = {key: [rows[at] for at in positions] for key, rows in features.items()}
        inputs = {key: padded(rows, self._reading.inputs[key]) for key, rows in taken.items()}
        return self._compute(inputs, padded([[1] * len(row) for row in taken["input_ids"]], 0))

    def _data(self, positions: tuple[int, ...], rows: NDArray[numpy.float32], work: _Work) -> Vectors | Scores:
        tokens = sum(len(work.features["input_ids"][at]) for at in positions)
        if self._meaning.labels:
            return Scores(positions, rows, self._meaning.labels, work.truncated, tokens)
        return Vectors(positions, rows, self._meaning.pooling, work.truncated, tokens)

    def _truncated(self, rows: list[list[int]], encoded: Any) -> int:
        """Count the texts that were cut: of those that fill the limit, the ones with something left over."""
        full = [at for at, row in enumerate(rows) if len(row) == self._reading.max_tokens]
        return sum(bool(encoded.encodings[at].overflowing) for at in full) if encoded.encodings else len(full)


def longest(stated: int | None, positions: Any, tokenizer: Any) -> int | None:
    """Return the most tokens that a text may have; None when neither the folder nor the model sets a bound."""
    if stated is not None:
        return stated
    # A tokenizer that knows no bound says 10**30.
    bounds = (positions, tokenizer.model_max_length)
    return min((bound for bound in bounds if isinstance(bound, int) and 0 < bound < 1 << 30), default=None)


def inputs_of(tokenizer: Any, accepted: Sequence[str]) -> dict[str, int]:
    """Return the inputs that both a tokenizer gives and a model takes, each with its padding."""
    fill = {"input_ids": tokenizer.pad_token_id or 0, "token_type_ids": tokenizer.pad_token_type_id}
    return {key: fill[key] for key in tokenizer.model_input_names if key in accepted and key in fill}


def padded(rows: Sequence[Sequence[int]], fill: int) -> Ids:
    """Return rows of one length, filled on the right."""
    ids = numpy.full((len(rows), max(map(len, rows))), fill, dtype=numpy.int64)
    for at, row in enumerate(rows):
        ids[at, : len(row)] = row
    return ids
