"""The tasks that read two texts together: `rerank`, `answer`, and `classify` for whether one follows from the other."""

from __future__ import annotations

from collections.abc import Iterable

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.engines.base import Chunk, Request
from ipfs_accel_cli.engines.exchange.text import AnswerOptions, EmbedOptions, Found, Pairs, Scores, Spans
from ipfs_accel_cli.tasks.classify import Classify
from ipfs_accel_cli.tasks.embed import LARGEST_BATCH

MOST_ANSWERS = 100


class Rerank:
    """Pairs of a query and a text in, how well each goes together out, in their order."""

    name = "rerank"

    def prepare(self, inputs: Pairs, options: EmbedOptions) -> Request:
        """Return a request for one or more pairs."""
        if not inputs.pairs:
            raise Invalid("there is no text to rank")
        check_batch(options.batch)
        return Request(self.name, inputs, options)

    def collect(self, chunks: Iterable[Chunk]) -> Scores:
        """Return all scores of a request, float32, shape (pairs, labels)."""
        return Classify().collect(chunks)


class Entail(Rerank):
    """Pairs of a premise and a hypothesis in, scores of a classifier's labels out: a classifier of inference."""

    name = "classify"


class Answer:
    """Pairs of a question and a context in, the parts of the contexts that answer out, in their order."""

    name = "answer"

    def prepare(self, inputs: Pairs, options: AnswerOptions) -> Request:
        """Return a request for one or more pairs, none of whose texts is empty."""
        if not inputs.pairs:
            raise Invalid("there is no question")
        if any(not question.strip() for question, _ in inputs.pairs):
            raise Invalid("an empty question has no answer")
        if any(not context.strip() for _, context in inputs.pairs):
            raise Invalid("an empty context has no answer")
        if not 1 <= options.top <= MOST_ANSWERS:
            raise Invalid(f"--top must be 1 to {MOST_ANSWERS}, not {options.top}")
        if options.longest < 1 or options.stride < 0:
            raise Invalid("an answer has at least 1 token, and windows share at least 0")
        check_batch(options.batch)
        return Request(self.name, inputs, options)

    def collect(self, chunks: Iterable[Chunk]) -> tuple[Found, ...]:
        """Return what each context answers."""
        parts = [chunk.data for chunk in chunks if isinstance(chunk.data, Spans)]
        if not parts:
            raise ValueError("no chunk holds answers")
        rows = {at: row for part in parts for at, row in zip(part.positions, part.rows, strict=True)}
        return tuple(rows[at] for at in sorted(rows))


def check_batch(batch: int) -> None:
    """Raise Invalid for a batch that nothing fits in, or that is out of reason."""
    if not 1 <= batch <= LARGEST_BATCH:
        raise Invalid(f"a batch holds 1 to {LARGEST_BATCH} texts, not {batch}")
