"""Summaries and translations: by a model that writes one text from another, else by what there is."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import AccelError, Invalid
from ipfs_accel_cli.core.stream import Stream
from ipfs_accel_cli.engines.base import Loadable, Request
from ipfs_accel_cli.engines.exchange.text import RewriteOptions, Rewritten, Texts
from ipfs_accel_cli.services.infer.opening import Opened, Opener
from ipfs_accel_cli.services.infer.text.reading import TokenReader
from ipfs_accel_cli.services.infer.text.results import Summary, Translation
from ipfs_accel_cli.services.infer.text.sentences import pack, sentences
from ipfs_accel_cli.services.infer.text.summarizing import Made, by_extract, by_model, by_prompt
from ipfs_accel_cli.services.infer.text.ways import Way, choose, in_order
from ipfs_accel_cli.services.infer.texts import open_texts, read_document, refuse_halves, windows
from ipfs_accel_cli.tasks.rewrite import Summarize, Translate, check_rewriting

# Room for what a model wants around a text: a prefix, a language, an end.
_AROUND_TOKENS = 24
_MOST_TOKENS, _USUAL_TOKENS = 1024, 512
_LINES_AT_ONCE = 8
_LARGEST_CHOSEN_SEED = 1 << 31

log = logging.getLogger("ipfs_accel_cli")


class Rewriting:
    """Writes texts from texts."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener

    def summarize(
        self,
        texts: Sequence[str] = (),
        *,
        sentences: int = 3,
        options: RewriteOptions,
        seed: int | None = None,
        file: Path | None = None,
        model: str | None = None,
        engine: str | None = None,
        device: str | None = None,
    ) -> Stream[Summary]:
        """Say in short what texts say, in their order; a file or the caller's input is one text.

        A model made for it writes the summary, a model that continues texts is asked for it, and of an embedding model
        come the `sentences` most central sentences. What is longer than a model reads is read in parts, whose summaries
        are summarized. Raises Invalid for a text or options that make no sense, and whatever finding, choosing and
        loading a model raises.
        """
        if sentences < 1:
            raise Invalid(f"--sentences must be at least 1, not {sentences}")
        options = _seeded(options, seed)
        check_rewriting(options)
        if texts and file is not None:
            raise Invalid("texts come from the arguments or from --file, not from both")
        given = list(texts) or [read_document(file, current(), "ipfs-accel infer summarize --file report.txt")]
        refuse_halves(given)
        for text in given:
            Summarize().prepare(Texts((text,)), options)
        ways = (
            Way("summarize", "sequence-to-sequence"),
            Way("embed", "extractive"),
            # A toy that continues stories would be taken for one that summarizes.
            Way("generate", "prompt", by_default=False),
        )
        found, way = choose(self._opener, model, "summarize texts", ways)

        def answered() -> Iterator[Summary]:
            with self._opener.open(found, way.task, engine, device) as opened:
                budget, count = _measure(found)
                for index, text in enumerate(given):
                    current().progress(index, len(given), "texts summarized")
                    yield _summary(index, _made(way, opened, text, sentences, options, budget, count), opened, options)

        return Stream(answered())

    def translate(
        self,
        texts: Sequence[str] = (),
        *,
        options: RewriteOptions,
        seed: int | None = None,
        file: Path | None = None,
        model: str | None = None,
        engine: str | None = None,
        device: str | None = None,
    ) -> Stream[Translation]:
        """Write texts in another language, in their order and in bounded memory; a line is translated by sentences.

        Raises Invalid for a language that the model does not have, naming those it has, and as `summarize`.
        """
        options = _seeded(options, seed)
        check_rewriting(options)
        source = open_texts(texts, file, current(), "ipfs-accel infer translate 'The cat sleeps.' --from en --to fr")
        found, _ = choose(self._opener, model, "translate texts", (Way("translate", ""),))
        task = Translate()

        def requests(parts: Iterator[list[str]], budget: int, count: Callable[[str], int]) -> Iterator[_Asked]:
            for lines in parts:
                cut = [pack_each(line, budget, count) for line in lines]
                pieces = tuple(piece for line in cut for piece, _ in line)
                if pieces:
                    yield (lines, cut), task.prepare(Texts(pieces), options)
                else:
                    yield (lines, cut), None

        def answered() -> Iterator[Translation]:
            parts = windows(source, _LINES_AT_ONCE)
            first = next(parts, None)
            if first is None:
                return
            index = shortened = 0
            with self._opener.open(found, task.name, engine, device) as opened:
                budget, count = _measure(found)
                for (lines, cut), written in _written(opened, task, requests(chain([first], parts), budget, count)):
                    pieces = iter(written)
                    for line, spans in zip(lines, cut, strict=True):
                        done = [next(pieces) for _ in spans]
                        text = "".join(one.text + space for one, (_, space) in zip(done, spans, strict=True))
                        truncated = any(one.truncated or one.finish_reason == "length" for one in done)
                        shortened += truncated
                        yield Translation(
                            index=index,
                            text=line,
                            translation=text,
                            source=options.source or None,
                            target=options.target or None,
                            truncated=truncated,
                            model=found.facts.name,
                            engine=opened.warm.key.engine,
                            seed=options.seed if options.temperature > 0 else None,
                        )
                        index += 1
            if shortened:
                log.warning("%d translations are cut off; --max-tokens lets them be longer", shortened)

        return Stream(answered())


_Cut = tuple[list[str], list[list[tuple[str, str]]]]
_Asked = tuple[_Cut, Request | None]


def pack_each(text: str, budget: int, count: Callable[[str], int]) -> list[tuple[str, str]]:
    """Return the sentences of a text, each in parts that fit, with the white space that follows each."""
    found: list[tuple[str, str]] = []
    spans = sentences(text)
    for at, (start, end) in enumerate(spans):
        after = text[end : spans[at + 1][0] if at + 1 < len(spans) else end]
        parts = pack(text, [(start, end)], budget, count)
        found += [(part.strip(), " ") for part in parts[:-1]] + [(parts[-1].strip(), after)]
    return [(part, after) for part, after in found if part]


def _written(opened: Opened, task: Translate, asked: Iterator[_Asked]) -> Iterator[tuple[_Cut, tuple[Rewritten, ...]]]:
    """Yield what was asked with its answers; windows of empty lines need none, and keep their place."""
    held: list[_Cut] = []

    def real() -> Iterator[tuple[list[_Cut], Request]]:
        for cut, request in asked:
            held.append(cut)
            if request is not None:
                taken = held[:]
                held.clear()
                yield taken, request

    for cuts, written in in_order(opened, task, real(), "windows translated"):
        yield from ((cut, ()) for cut in cuts[:-1])
        yield cuts[-1], written
    yield from ((cut, ()) for cut in held)


def _made(
    way: Way,
    opened: Opened,
    text: str,
    sentences: int,
    options: RewriteOptions,
    budget: int,
    count: Callable[[str], int],
) -> Made:
    if way.task == "embed":
        return by_extract(opened, text, sentences)
    if way.task == "generate":
        return by_prompt(opened, text, options, budget, count)
    return by_model(opened, text, options, budget, count)


def _summary(index: int, made: Made, opened: Opened, options: RewriteOptions) -> Summary:
    facts = opened.model.facts
    return Summary(
        index=index,
        summary=made.text,
        method=made.method,
        windows=made.windows,
        model=facts.name,
        model_cid=facts.manifest,
        engine=opened.warm.key.engine,
        seed=options.seed if options.temperature > 0 and made.method != "extractive" else None,
    )


def _measure(model: Loadable) -> tuple[int, Callable[[str], int]]:
    """Return how many tokens of a text a model may be given, and what counts them.

    Where the tokenizer is not one that can be read here, characters are counted: three of them for a token.
    """
    stated = model.facts.context_tokens or _USUAL_TOKENS
    budget = max(16, min(stated, _MOST_TOKENS) - _AROUND_TOKENS)
    try:
        return budget, TokenReader(model).count
    except AccelError:
        return budget, lambda text: len(text) // 3 + 1


def _seeded(options: RewriteOptions, seed: int | None) -> RewriteOptions:
    if seed is None:
        seed = secrets.randbelow(_LARGEST_CHOSEN_SEED) if options.temperature > 0 else 0
    return replace(options, seed=seed)
