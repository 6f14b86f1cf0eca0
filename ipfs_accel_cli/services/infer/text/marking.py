"""Single tokens: those that a model reads, their labels, and those that are missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.core.stream import Stream
from ipfs_accel_cli.engines.base import Loadable
from ipfs_accel_cli.engines.exchange.text import EmbedOptions, FillOptions, Tag, Texts
from ipfs_accel_cli.engines.marking import MASK
from ipfs_accel_cli.services.infer.opening import Opener
from ipfs_accel_cli.services.infer.text.entities import entities_of
from ipfs_accel_cli.services.infer.text.reading import TokenReader
from ipfs_accel_cli.services.infer.text.results import Filled, MaskGuess, TextToken, TextTokens
from ipfs_accel_cli.services.infer.text.ways import Way, choose, in_order
from ipfs_accel_cli.services.infer.texts import open_texts, windows
from ipfs_accel_cli.tasks.marks import FillMask, TokenClassify, with_masks
from ipfs_accel_cli.tasks.pairs import check_batch

BATCH = 16
_READERS = (
    *("token-classify", "embed", "classify", "rerank", "generate", "fill-mask", "answer", "summarize", "translate"),
)


class Marking:
    """Shows what models make of single tokens."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener

    def fill_mask(
        self,
        texts: Sequence[str] = (),
        *,
        top: int = 5,
        file: Path | None = None,
        model: str | None = None,
        batch: int | None = None,
        engine: str | None = None,
        device: str | None = None,
    ) -> Stream[Filled]:
        """Say which tokens are likeliest where texts have a mask, in the order of the texts and in bounded memory.

        Raises Invalid for a text without a mask and for missing or unreadable texts, and whatever finding, choosing
        and loading a model raises.
        """
        task, options = FillMask(), FillOptions(top, BATCH if batch is None else batch)
        task.prepare(Texts((MASK,)), options)
        source = open_texts(texts, file, current(), "ipfs-accel infer fill-mask 'The cat sat on the [MASK].'")
        found, way = choose(self._opener, model, "fill masks", (Way("fill-mask", ""),))

        def answered() -> Iterator[Filled]:
            parts = windows(source, options.batch)
            first = next(parts, None)
            if first is None:
                return
            # A text without a mask is found before the model is loaded.
            task.prepare(Texts(tuple(first)), options)
            with self._opener.open(found, way.task, engine, device) as opened:
                asked = ((part, task.prepare(Texts(tuple(part)), options)) for part in chain([first], parts))
                index = 0
                for part, rows in in_order(opened, task, asked, "texts filled"):
                    for text, masks in zip(part, rows, strict=True):
                        guesses = [
                            [MaskGuess(id=one.id, token=one.token, score=one.score) for one in mask] for mask in masks
                        ]
                        filled = _filled(text, [mask[0].token for mask in guesses])
                        yield Filled(index=index, text=text, filled=filled, masks=guesses, model=found.facts.name)
                        index += 1

        return Stream(answered())

    def tokens(
        self,
        texts: Sequence[str] = (),
        *,
        entities: bool = False,
        file: Path | None = None,
        model: str | None = None,
        batch: int | None = None,
        engine: str | None = None,
        device: str | None = None,
    ) -> Stream[TextTokens]:
        """Show the tokens that a model reads of texts; a model that labels tokens says what each is.

        With `entities` neighbours of one label are put together, which takes such a model. No weights are loaded where
        tokens have no labels. Raises Invalid for missing or unreadable texts, and whatever finding a model raises.
        """
        options = EmbedOptions(BATCH if batch is None else batch)
        check_batch(options.batch)
        source = open_texts(texts, file, current(), "ipfs-accel infer tokens 'Strange words cost more.'")
        if entities:
            ways: tuple[Way, ...] = (Way("token-classify", ""),)
        else:
            ways = tuple(Way(task, "", by_default=task == "embed") for task in _READERS)
        found, way = choose(self._opener, model, "find entities" if entities else "read texts", ways)
        parts = windows(source, options.batch)
        if way.task != "token-classify":
            return Stream(_unlabelled(found, parts))
        return Stream(self._labelled(found, parts, options, engine, device, entities=entities))

    def _labelled(
        self,
        model: Loadable,
        parts: Iterator[list[str]],
        options: EmbedOptions,
        engine: str | None,
        device: str | None,
        *,
        entities: bool,
    ) -> Iterator[TextTokens]:
        task, reader, index = TokenClassify(), TokenReader(model), 0
        with self._opener.open(model, "token-classify", engine, device) as opened:
            asked = ((part, task.prepare(Texts(tuple(part)), options)) for part in parts)
            for part, rows in in_order(opened, task, asked, "texts labelled"):
                for text, read, tags in zip(part, reader.read(part), rows, strict=True):
                    around = len(read) - len(tags)
                    made = _shown(index, text, [_tagged(tag) for tag in tags], len(tags) + around, reader.limit, model)
                    yield made.model_copy(update={"entities": entities_of(text, tags)}) if entities else made
                    index += 1


def _unlabelled(model: Loadable, parts: Iterator[list[str]]) -> Iterator[TextTokens]:
    reader, index = TokenReader(model), 0
    for part in parts:
        for text, read in zip(part, reader.read(part), strict=True):
            current().progress(index + 1, None, "texts read")
            tokens = [TextToken(id=one.id, token=one.token, start=one.start, end=one.end) for one in read]
            yield _shown(index, text, tokens, len(tokens), reader.limit, model)
            index += 1


def _shown(
    index: int, text: str, tokens: list[TextToken], count: int, limit: int | None, model: Loadable
) -> TextTokens:
    fits = None if limit is None else count <= limit
    return TextTokens(
        index=index,
        text=text,
        count=count,
        context_tokens=limit,
        fits=fits,
        tokens=tokens,
        model=model.facts.name,
    )


def _tagged(tag: Tag) -> TextToken:
    return TextToken(id=tag.id, token=tag.token, start=tag.start, end=tag.end, label=tag.label, score=tag.score)


def _filled(text: str, tokens: Sequence[str]) -> str:
    """Put tokens where the masks are; one that brings its own space does not get a second one."""
    parts = with_masks(text).split(MASK)
    if len(parts) != len(tokens) + 1:
        raise Invalid("the text has a mask that the model reads as something else")
    filled = parts[0]
    for token, part in zip(tokens, parts[1:], strict=True):
        bare = token.removeprefix("##")
        filled = (filled.rstrip(" ") if bare != token else filled) + (
            bare.lstrip() if filled[-1:] in ("", " ") else bare
        )
        filled += part
    return filled
