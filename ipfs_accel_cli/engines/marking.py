"""Sessions that answer about the tokens of texts, for every engine that has one: labels, masks, answers."""

from __future__ import annotations

from abc import abstractmethod
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import numpy
from numpy.typing import NDArray

from ipfs_accel_cli.core.errors import Invalid, MalformedContent
from ipfs_accel_cli.engines.base import Chunk, Request, RequestId
from ipfs_accel_cli.engines.encoder import Ids, padded
from ipfs_accel_cli.engines.exchange.text import (
    AnswerOptions,
    EmbedOptions,
    Fillings,
    FillOptions,
    Found,
    Guess,
    Pairs,
    Spans,
    Tag,
    Tags,
    Texts,
)
from ipfs_accel_cli.engines.spans import Reading as SpanReading
from ipfs_accel_cli.engines.spans import best_spans
from ipfs_accel_cli.engines.windows import Read, Window, read

Logits = NDArray[numpy.float32]
# Inputs by name and the mask, each (windows, tokens), padded on the right; gives (windows, tokens, width) logits.
Compute = Callable[[dict[str, Ids], Ids], Logits]
# The same, for the tokens at (window, token) of the third, (count, 2); gives (count, vocabulary).
ComputeAt = Callable[[dict[str, Ids], Ids, Ids], Logits]
MASK = "{mask}"
_SHARED_TOKENS = 64
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Reader:
    """How a model reads: its tokenizer, the inputs with what each is padded with, and how many tokens at once."""

    name: str
    tokenizer: Any
    inputs: Mapping[str, int]
    max_tokens: int | None

    def read(self, texts: Sequence[str], heads: Sequence[str] | None = None, share: int = _SHARED_TOKENS) -> list[Read]:
        """Lay windows over texts; raises Invalid for heads that leave no room."""
        return read(self.tokenizer, texts, heads, tuple(self.inputs), self.max_tokens, share)

    def batch(self, windows: Sequence[Window]) -> tuple[dict[str, Ids], Ids]:
        """Return the inputs and the mask of some windows."""
        inputs = {key: padded([one.features[key] for one in windows], fill) for key, fill in self.inputs.items()}
        return inputs, padded([[1] * len(one.features["input_ids"]) for one in windows], 0)


@dataclass(slots=True)
class _Work:
    """One request: what was read, the windows still to run, and the logits of texts whose windows are not all done."""

    options: Any
    reads: list[Read]
    pending: deque[Window]
    batch: int
    waiting: dict[int, list[Logits]] = field(default_factory=dict)


class MarkingSession(Generic[Row]):
    """Runs windows in batches; a text is answered when all its windows are done."""

    task = ""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._active: dict[RequestId, _Work] = {}
        self._closed = False

    def submit(self, request: Request) -> None:
        """Tokenize the texts of a request; nothing is cut off, long texts are read in windows."""
        if request.kind != self.task:
            raise self._refused(request)
        reads, batch = self._reads(request)
        order = sorted(range(len(reads)), key=lambda at: -len(reads[at].ids))
        pending = deque(window for at in order for window in reads[at].windows)
        self._active[request.id] = _Work(request.options, reads, pending, batch)

    def step(self) -> Sequence[tuple[RequestId, Chunk]]:
        """Run one batch of windows of each request."""
        if self._closed and self._active:
            raise Invalid(f"{self._reader.name} was closed")
        done = []
        for request, work in list(self._active.items()):
            windows = [work.pending.popleft() for _ in range(min(work.batch, len(work.pending)))]
            for window, logits in zip(windows, self._run(work, windows), strict=True):
                if not numpy.isfinite(logits).all():
                    raise MalformedContent(
                        f"{self._reader.name} answers with values that are no numbers; its weights are damaged"
                    )
                work.waiting.setdefault(window.position, []).append(logits)
            whole = [at for at, found in work.waiting.items() if len(found) == len(work.reads[at].windows)]
            rows = [self._row(work.options, work.reads[at], work.waiting.pop(at)) for at in whole]
            done.append((request, Chunk(self._data(tuple(whole), tuple(rows)), finished=not work.pending)))
            if not work.pending:
                del self._active[request]
        return done

    def abort(self, request: RequestId) -> None:
        """Forget a request."""
        self._active.pop(request, None)

    def close(self) -> None:
        """Let go of the weights."""
        self._active.clear()
        self._closed = True

    @abstractmethod
    def _reads(self, request: Request) -> tuple[list[Read], int]:
        """Return what was read of the payload, and how many windows go through the model at once."""

    @abstractmethod
    def _run(self, work: _Work, windows: Sequence[Window]) -> Sequence[Logits]:
        """Return what is kept of each window."""

    @abstractmethod
    def _row(self, options: Any, read: Read, logits: Sequence[Logits]) -> Row:
        """Return the answer about one text."""

    @abstractmethod
    def _data(self, positions: tuple[int, ...], rows: tuple[Row, ...]) -> object:
        """Return what a chunk carries."""

    def _refused(self, request: Request) -> Invalid:
        return Invalid(f"{self._reader.name} was loaded for {self.task}, not for {request.kind}")


class TaggingSession(MarkingSession[tuple[Tag, ...]]):
    """Gives every token a label."""

    task = "token-classify"

    def __init__(self, reader: Reader, labels: Sequence[str], compute: Compute) -> None:
        super().__init__(reader)
        self._labels = tuple(labels)
        self._compute: Compute | None = compute

    def close(self) -> None:
        super().close()
        self._compute = None

    def _reads(self, request: Request) -> tuple[list[Read], int]:
        if not isinstance(request.payload, Texts) or not isinstance(request.options, EmbedOptions):
            raise self._refused(request)
        return self._reader.read(request.payload.texts), request.options.batch

    def _run(self, work: _Work, windows: Sequence[Window]) -> Sequence[Logits]:
        assert self._compute is not None
        found = self._compute(*self._reader.batch(windows))
        return [row[one.begin : one.begin + one.last - one.first] for row, one in zip(found, windows, strict=True)]

    def _row(self, options: Any, read: Read, logits: Sequence[Logits]) -> tuple[Tag, ...]:
        tags = []
        for at, (token, text, (start, end)) in enumerate(
            zip(read.ids, read.tokens, read.offsets.tolist(), strict=True)
        ):
            window = read.best_window(at)
            scores = softmax(logits[window][at - read.windows[window].first])
            label = int(scores.argmax())
            tags.append(Tag(token, text, start, end, self._labels[label], float(scores[label])))
        return tuple(tags)

    def _data(self, positions: tuple[int, ...], rows: tuple[tuple[Tag, ...], ...]) -> Tags:
        return Tags(positions, rows)


class FillingSession(MarkingSession[tuple[tuple[Guess, ...], ...]]):
    """Says which tokens are likeliest where a text has `{mask}`."""

    task = "fill-mask"

    def __init__(self, reader: Reader, compute: ComputeAt) -> None:
        super().__init__(reader)
        self._mask, self._mask_id = reader.tokenizer.mask_token, reader.tokenizer.mask_token_id
        self._compute: ComputeAt | None = compute

    def close(self) -> None:
        super().close()
        self._compute = None

    def _reads(self, request: Request) -> tuple[list[Read], int]:
        if not isinstance(request.payload, Texts) or not isinstance(request.options, FillOptions):
            raise self._refused(request)
        texts = [text.replace(MASK, self._mask) for text in request.payload.texts]
        reads = self._reader.read(texts)
        if any(self._mask_id not in one.ids for one in reads):
            raise Invalid(f"a text has no {MASK}, and there is nothing to fill")
        return reads, request.options.batch

    def _run(self, work: _Work, windows: Sequence[Window]) -> Sequence[Logits]:
        assert self._compute is not None
        wanted = [self._masks_in(work.reads[one.position], one) for one in windows]
        where = [(at, place) for at, places in enumerate(wanted) for place in places]
        if not where:
            return [numpy.zeros((0, 1), dtype=numpy.float32) for _ in windows]
        found = self._compute(*self._reader.batch(windows), numpy.array(where, dtype=numpy.int64))
        ends = numpy.cumsum([len(places) for places in wanted])
        return numpy.split(found, ends[:-1])

    def _masks_in(self, read: Read, window: Window) -> list[int]:
        """Return where in a window the masks stand that are answered from it."""
        masks = [at for at in range(window.first, window.last) if read.ids[at] == self._mask_id]
        return [window.begin + at - window.first for at in masks if read.best_window(at) == window.number]

    def _row(self, options: FillOptions, read: Read, logits: Sequence[Logits]) -> tuple[tuple[Guess, ...], ...]:
        return tuple(self._guesses(softmax(row), options.top) for window in logits for row in window)

    def _guesses(self, scores: NDArray[numpy.float64], top: int) -> tuple[Guess, ...]:
        best = numpy.argsort(-scores, kind="stable")[:top].tolist()
        return tuple(Guess(at, self._reader.tokenizer.decode([at]), float(scores[at])) for at in best)

    def _data(self, positions: tuple[int, ...], rows: tuple[tuple[tuple[Guess, ...], ...], ...]) -> Fillings:
        return Fillings(positions, rows)


class AnsweringSession(MarkingSession[Found]):
    """Finds the part of a context that answers a question."""

    task = "answer"

    def __init__(self, reader: Reader, compute: Compute) -> None:
        super().__init__(reader)
        self._compute: Compute | None = compute

    def close(self) -> None:
        super().close()
        self._compute = None

    def _reads(self, request: Request) -> tuple[list[Read], int]:
        if not isinstance(request.payload, Pairs) or not isinstance(request.options, AnswerOptions):
            raise self._refused(request)
        questions, contexts = zip(*request.payload.pairs, strict=True)
        return self._reader.read(contexts, questions, request.options.stride), request.options.batch

    def _run(self, work: _Work, windows: Sequence[Window]) -> Sequence[Logits]:
        assert self._compute is not None
        found = self._compute(*self._reader.batch(windows))
        # The first token, which a model points at when a window has no answer, goes before those of the context.
        return [
            numpy.concatenate([row[:1], row[one.begin : one.begin + one.last - one.first]])
            for row, one in zip(found, windows, strict=True)
        ]

    def _row(self, options: AnswerOptions, read: Read, logits: Sequence[Logits]) -> Found:
        windows = [SpanReading(one.first, found) for one, found in zip(read.windows, logits, strict=True)]
        return best_spans(windows, read.offsets, options.top, options.longest)

    def _data(self, positions: tuple[int, ...], rows: tuple[Found, ...]) -> Spans:
        return Spans(positions, rows)


def softmax(logits: NDArray[Any]) -> NDArray[numpy.float64]:
    """Return probabilities over the last axis."""
    raised = numpy.exp(logits.astype(numpy.float64) - logits.max(axis=-1, keepdims=True))
    shared: NDArray[numpy.float64] = raised / raised.sum(axis=-1, keepdims=True)
    return shared
