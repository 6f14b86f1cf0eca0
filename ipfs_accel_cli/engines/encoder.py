"""Sessions of encoders, for every engine that has one: texts of like length go through the model together.

Also those of several requests do: many that ask for one text each are answered as quickly as one that asks for many.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
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


# How much shorter than the longest text of a batch another may be: by a fifth, or by a few tokens.
_LEAST_FILL, _FEW_TOKENS = 0.8, 4


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
    """One loaded encoder, for many requests at once."""

    slots = 256

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
        """Move every request on by at least one text, in as few batches as that takes."""
        done: list[tuple[RequestId, Chunk]] = []
        served: set[RequestId] = set()
        for request, work in list(self._active.items()):
            if request not in served:
                batch = self._batch(request, work)
                served.update(batch)
                done += self._answered(batch)
        return done

    def _batch(self, first: RequestId, work: _Work) -> dict[RequestId, list[int]]:
        """Take texts out of their requests: the longest of one, and those of all others that are nearest in length.

        Padding is what a batch of unlike lengths costs, so a text joins only one that is little longer.
        """
        taken = {first: [work.positions.popleft() for _ in range(min(work.batch, len(work.positions)))]}
        longest = self._length(work, taken[first][0])
        room = work.batch - len(taken[first])
        for request, other in self._active.items():
            if not room:
                break
            if request == first or other.batch != work.batch:
                continue
            at = next((at for at, one in enumerate(other.positions) if self._length(other, one) <= longest), None)
            while room and at is not None and at < len(other.positions):
                if self._length(other, other.positions[at]) < min(longest * _LEAST_FILL, longest - _FEW_TOKENS):
                    break
                taken.setdefault(request, []).append(other.positions[at])
                del other.positions[at]
                room -= 1
        return taken

    def _answered(self, batch: dict[RequestId, list[int]]) -> Iterator[tuple[RequestId, Chunk]]:
        """Run a batch and yield what each request gets of it."""
        places = [(request, position) for request, positions in batch.items() for position in positions]
        rows = self._rows(places)
        if not numpy.isfinite(rows).all():
            raise MalformedContent(f"{self._name} answers with values that are no numbers; its weights are damaged")
        start = 0
        for request, positions in batch.items():
            work, end = self._active[request], start + len(positions)
            data = self._data(tuple(positions), rows[start:end], work)
            start = end
            yield request, Chunk(data, finished=not work.positions)
            if not work.positions:
                del self._active[request]

    def abort(self, request: RequestId) -> None:
        """Forget a request."""
        self._active.pop(request, None)

    def close(self) -> None:
        """Let go of the weights."""
        self._active.clear()
        self._compute = None

    def _length(self, work: _Work, position: int) -> int:
        return len(work.features["input_ids"][position])

    def _rows(self, places: Sequence[tuple[RequestId, int]]) -> NDArray[numpy.float32]:
        if self._compute is None:
            raise Invalid(f"{self._name} was closed")
        taken = {
            key: [self._active[request].features[key][position] for request, position in places]
            for key in self._reading.inputs
        }
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
