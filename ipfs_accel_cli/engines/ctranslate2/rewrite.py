"""Writing one text from another on CTranslate2: a batch a step, whole, or token by token where tokens are drawn."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy
from numpy.typing import NDArray

from ipfs_accel_cli.core.errors import DoesNotFit, Invalid, MalformedContent
from ipfs_accel_cli.engines.base import Chunk, Request, RequestId
from ipfs_accel_cli.engines.ctranslate2.rules import Rules
from ipfs_accel_cli.engines.exchange.text import FinishReason, RewriteOptions, Rewritten, Texts
from ipfs_accel_cli.engines.languages import Languages, Way


@dataclass(frozen=True, slots=True)
class Writing:
    """What a model is beside its network: tokens, languages, the most that it reads and writes, its rules.

    `vocabulary` are the tokens that the network writes, by their numbers there.
    """

    tokenizer: Any
    vocabulary: Sequence[str]
    languages: Languages
    prefix: str
    end: str
    reads: int | None
    room: int | None
    rules: Rules


@dataclass(slots=True)
class _Work:
    """One request: the positions still to begin, the longest text first."""

    options: RewriteOptions
    rows: list[list[str]]
    cut: list[bool]
    first: str
    positions: deque[int]


class RewriteSession:
    """One loaded encoder-decoder. A step writes a batch of texts of requests that are asked alike."""

    def __init__(self, network: Any, writing: Writing, name: str, task: str) -> None:
        self._network, self._writing, self._name, self._task = network, writing, name, task
        self._active: dict[RequestId, _Work] = {}

    def submit(self, request: Request) -> None:
        """Tokenize the texts; raise Invalid for a language that the model does not have."""
        texts, options = request.payload, request.options
        if not isinstance(texts, Texts) or not isinstance(options, RewriteOptions) or request.kind != self._task:
            raise Invalid(f"{self._name} was loaded to {self._task} texts, not to {request.kind}")
        writing = self._writing
        if writing.room is not None and options.max_tokens >= writing.room:
            options = replace(options, max_tokens=writing.room - 1)
        way = self._way(options)
        if way.source:
            writing.tokenizer.src_lang = way.source
        given = [way.prefix + text for text in texts.texts]
        encoded = writing.tokenizer(given, truncation=writing.reads is not None, max_length=writing.reads)
        ids = encoded["input_ids"]
        full = [len(row) == writing.reads for row in ids]
        if encoded.encodings:
            full = [one and bool(encoded.encodings[at].overflowing) for at, one in enumerate(full)]
        rows = [list(writing.tokenizer.convert_ids_to_tokens(row)) or [writing.end] for row in ids]
        order = sorted(range(len(rows)), key=lambda position: -len(rows[position]))
        self._active[request.id] = _Work(options, rows, full, way.first or writing.rules.first, deque(order))

    def step(self) -> Sequence[tuple[RequestId, Chunk]]:
        """Write the texts of those who have waited longest; of the other requests say that they wait."""
        if not self._active:
            return []
        if self._network is None:
            raise Invalid(f"{self._name} was closed")
        work = next(iter(self._active.values()))
        options, first = work.options, work.first
        taken = self._taken(options, first)
        rows = [self._active[request].rows[position] for request, position in taken]
        if options.temperature > 0:
            written = self._drawn(rows, [options.seed + position for _, position in taken], options, first)
        else:
            written = self._searched(rows, options, first)
        found = [self._chunk(*which, tokens, options) for which, tokens in zip(taken, written, strict=True)]
        done = {request for request, _ in taken if not self._active[request].positions}
        last = {request: at for at, (request, _) in enumerate(taken) if request in done}
        for request in done:
            del self._active[request]
        told = {request for request, _ in taken}
        # Who was served goes to the end, so that one with many texts does not hold up the rest.
        for request in [one for one in self._active if one in told]:
            self._active[request] = self._active.pop(request)
        return [
            *((one, Chunk(data, finished=last.get(one) == at)) for at, (one, data) in enumerate(found)),
            *((request, Chunk(None)) for request in self._active if request not in told),
        ]

    def abort(self, request: RequestId) -> None:
        """Forget a request that waits."""
        self._active.pop(request, None)

    def close(self) -> None:
        """Let go of the weights."""
        self._active.clear()
        self._network = None

    def _way(self, options: RewriteOptions) -> Way:
        if self._task == "summarize":
            return Way(prefix=self._writing.prefix)
        return self._writing.languages.way(self._name, options.source, options.target)

    def _taken(self, options: RewriteOptions, first: str) -> list[tuple[RequestId, int]]:
        """Take the next texts, of all requests that are asked alike."""
        taken: list[tuple[RequestId, int]] = []
        for request, work in self._active.items():
            while work.positions and len(taken) < options.batch and (work.options, work.first) == (options, first):
                taken.append((request, work.positions.popleft()))
        return taken

    def _searched(self, rows: list[list[str]], options: RewriteOptions, first: str) -> list[list[str]]:
        """Return the likeliest tokens of each row, with the end token where it was written."""
        most = options.max_tokens
        results = self._asked(
            rows,
            target_prefix=[[first]] * len(rows) if first else None,
            beam_size=options.beams,
            length_penalty=options.length_penalty,
            max_decoding_length=most,
            return_scores=True,
            **self._writing.rules.told(most),
        )
        if not all(numpy.isfinite(result.scores[0]) for result in results):
            raise MalformedContent(f"{self._name} answers with values that are no numbers; its weights are damaged")
        return [self._ended(list(result.hypotheses[0]), most) for result in results]

    def _asked(self, rows: list[list[str]], **others: Any) -> Any:
        try:
            return self._network.translate_batch(rows, max_input_length=0, return_end_token=True, **others)
        except MemoryError as error:
            raise DoesNotFit(f"{self._name}: memory ran out; ask for less at a time (--batch)") from error
        except (ValueError, RuntimeError) as error:
            raise MalformedContent(f"{self._name}: {' '.join(str(error).split())[:200]}") from error

    def _drawn(self, rows: list[list[str]], seeds: list[int], options: RewriteOptions, first: str) -> list[list[str]]:
        """Return drawn tokens. A seed for each text, so that what is drawn does not depend on the company.

        The library seeds its own generator once for a thread, so the drawing is ours: a token of each row at a time.
        """
        written: list[list[str]] = [[first] if first else [] for _ in rows]
        chances = [numpy.random.default_rng(seed) for seed in seeds]
        alive = [at for at, one in enumerate(written) if len(one) < options.max_tokens]
        while alive:
            length = len(written[alive[0]]) + 1
            results = self._asked(
                [rows[at] for at in alive],
                target_prefix=[written[at] or None for at in alive],
                beam_size=1,
                max_decoding_length=length,
                return_logits_vocab=True,
                **self._writing.rules.told(options.max_tokens),
            )
            for at, result in zip(alive, results, strict=True):
                scores = numpy.asarray(numpy.array(result.logits[0][-1]), dtype=numpy.float64)
                token = self._chosen(scores / options.temperature, chances[at])
                written[at].append(token)
            alive = [at for at in alive if written[at][-1] != self._writing.end and length < options.max_tokens]
        return [self._ended(tokens, options.max_tokens) for tokens in written]

    def _chosen(self, scores: NDArray[numpy.float64], chance: numpy.random.Generator) -> str:
        if not numpy.isfinite(scores).all():
            raise MalformedContent(f"{self._name} answers with values that are no numbers; its weights are damaged")
        likely = numpy.exp(scores - scores.max())
        return self._writing.vocabulary[int(chance.choice(len(likely), p=likely / likely.sum()))]

    def _ended(self, tokens: list[str], most: int) -> list[str]:
        """Return the tokens with the end in the last place, for a model that always writes it there."""
        full = self._writing.rules.forced_end and len(tokens) >= most and tokens[-1] != self._writing.end
        return [*tokens[: most - 1], self._writing.end] if full else tokens

    def _chunk(
        self, request: RequestId, position: int, tokens: list[str], options: RewriteOptions
    ) -> tuple[RequestId, Rewritten]:
        ended = bool(tokens) and tokens[-1] == self._writing.end
        kept = tokens[:-1] if ended else tokens
        ids = self._writing.tokenizer.convert_tokens_to_ids(kept)
        text = self._writing.tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        reason: FinishReason = "stop" if ended else "length"
        work = self._active[request]
        # The bytes of the last character did not all come.
        text = text if ended else text.rstrip("\ufffd")
        return request, Rewritten(position, text, len(kept), len(work.rows[position]), work.cut[position], reason)
