"""Answers to questions out of a context: the words that a model points at, else the sentence that is nearest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.core.stream import Stream
from ipfs_accel_cli.engines.exchange.text import AnswerOptions, Found, Pairs, Span
from ipfs_accel_cli.services.infer.floats import shortest
from ipfs_accel_cli.services.infer.opening import Opened, Opener
from ipfs_accel_cli.services.infer.text.comparing import unit_vectors
from ipfs_accel_cli.services.infer.text.results import Answered, AnswerSpan
from ipfs_accel_cli.services.infer.text.sentences import sentences
from ipfs_accel_cli.services.infer.text.ways import Way, choose, in_order
from ipfs_accel_cli.services.infer.texts import read_document
from ipfs_accel_cli.tasks.pairs import Answer

_EXAMPLE = "ipfs-accel infer answer 'Who found the key?' --context 'Moss found the key in the garden.'"


class Answering:
    """Looks for answers in a text."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener

    def answer(
        self,
        questions: Sequence[str],
        *,
        context: str | None = None,
        file: Path | None = None,
        top: int = 1,
        threshold: float | None = None,
        model: str | None = None,
        engine: str | None = None,
        device: str | None = None,
    ) -> Stream[Answered]:
        """Answer questions out of one context, which is an argument, a file or the caller's input.

        A model made for it points at the words; with an embedding model the sentence nearest to the question is given.
        There is no answer where the model finds that likelier, or nothing scores `threshold`. Raises Invalid for
        questions, a context or options that make no sense, and whatever finding, choosing and loading a model raises.
        """
        if context is not None and file is not None:
            raise Invalid("the context comes from --context or from --file, not from both")
        text = read_document(file, current(), _EXAMPLE) if context is None else context
        task, options = Answer(), AnswerOptions(top)
        task.prepare(Pairs(tuple((question, text) for question in questions)), options)
        if threshold is not None and not -1 <= threshold <= 1:
            raise Invalid(f"--threshold must be between -1 and 1, not {threshold}")
        ways = (Way("answer", "span"), Way("embed", "nearest-sentence"))
        found, way = choose(self._opener, model, "answer questions", ways)

        def answered() -> Iterator[Answered]:
            with self._opener.open(found, way.task, engine, device) as opened:
                if way.task == "embed":
                    yield from _nearest(opened, questions, text, top, threshold)
                    return
                asked = ((at, task.prepare(Pairs(((one, text),)), options)) for at, one in enumerate(questions))
                for at, (row,) in in_order(opened, task, asked, "questions answered"):
                    yield _pointed(opened, at, questions[at], text, row, threshold)

        return Stream(answered())


def _pointed(opened: Opened, index: int, question: str, text: str, found: Found, threshold: float | None) -> Answered:
    spans = [_shown(text, span) for span in found.spans]
    best = spans[0] if spans else None
    least = found.nothing if threshold is None else threshold
    sure = best is not None and best.score >= least and bool(best.text)
    return Answered(
        index=index,
        question=question,
        answer=best.text if sure and best else None,
        start=best.start if sure and best else None,
        end=best.end if sure and best else None,
        score=best.score if best else 0.0,
        nothing=found.nothing,
        candidates=spans,
        method="span",
        windows=found.windows,
        model=opened.model.facts.name,
    )


def _nearest(
    opened: Opened, questions: Sequence[str], text: str, top: int, threshold: float | None
) -> Iterator[Answered]:
    spans = sentences(text)
    rows = unit_vectors(opened, [text[start:end] for start, end in spans], "document")
    for index, question in enumerate(questions):
        scores = rows @ unit_vectors(opened, [question], "query")[0]
        values = shortest(scores).tolist()
        order = numpy.argsort(-scores, kind="stable")[:top].tolist()
        found = [_shown(text, Span(spans[at][0], spans[at][1], values[at])) for at in order]
        sure = threshold is None or found[0].score >= threshold
        yield Answered(
            index=index,
            question=question,
            answer=found[0].text if sure else None,
            start=found[0].start if sure else None,
            end=found[0].end if sure else None,
            score=found[0].score,
            candidates=found,
            method="nearest-sentence",
            windows=1,
            model=opened.model.facts.name,
        )


def _shown(text: str, span: Span) -> AnswerSpan:
    """Return a span without white space at its ends."""
    body = text[span.start : span.end]
    start = span.start + len(body) - len(body.lstrip())
    kept = body.strip()
    return AnswerSpan(text=kept, start=start, end=start + len(kept), score=span.score)
