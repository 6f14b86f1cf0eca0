"""How well texts go with a query, or with labels: by a model that reads both, else by nearness of vectors."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Literal

import numpy
from numpy.typing import NDArray

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.core.stream import Stream
from ipfs_accel_cli.engines.base import Loadable
from ipfs_accel_cli.engines.exchange.text import EmbedOptions, Pairs, Texts
from ipfs_accel_cli.services.infer.floats import shortest
from ipfs_accel_cli.services.infer.opening import Opened, Opener
from ipfs_accel_cli.services.infer.text.comparing import Rows, unit, unit_vectors
from ipfs_accel_cli.services.infer.text.results import Reranked, ZeroShot, ZeroShotLabel
from ipfs_accel_cli.services.infer.text.ways import Way, choose, in_order, labels_of
from ipfs_accel_cli.services.infer.texts import open_texts, windows
from ipfs_accel_cli.tasks.embed import Embed
from ipfs_accel_cli.tasks.pairs import Entail, Rerank, check_batch

BATCH = 32
TEMPLATE = "This text is about {}."
_Window = tuple[int, list[str]]
_Scored = Iterator[tuple[_Window, NDArray[numpy.float32]]]


class Judging:
    """Ranks texts for a query, and gives texts labels that no model was trained on."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener

    def rerank(
        self,
        query: str,
        texts: Sequence[str] = (),
        *,
        file: Path | None = None,
        top: int | None = None,
        model: str | None = None,
        batch: int | None = None,
        engine: str | None = None,
        device: str | None = None,
    ) -> Stream[Reranked]:
        """Order texts by how well they go with a query, the best first; of equals the earlier one comes first.

        With `top`, memory is bounded by that many texts. Raises Invalid for missing or unreadable texts and whatever
        finding, choosing and loading a model raises.
        """
        if not query.strip():
            raise Invalid("the query is empty")
        if top is not None and top < 1:
            raise Invalid("--top needs a number of at least 1")
        size = _batch(batch)
        source = open_texts(texts, file, current(), "ipfs-accel infer rerank 'storms at sea' 'The waves were high.'")
        ways = (Way("rerank", "cross-encoder"), Way("embed", "cosine"))
        found, way = choose(self._opener, model, "rerank texts", ways)

        def answered() -> Iterator[Reranked]:
            parts = _started(source, size)
            if parts is None:
                return
            with self._opener.open(found, way.task, engine, device) as opened:
                score = _paired if way.method == "cross-encoder" else _near
                best = _best(score(opened, query, parts, size), top)
            for rank, (value, index, text) in enumerate(best, 1):
                yield Reranked(
                    rank=rank,
                    index=index,
                    text=text,
                    score=value,
                    method="cross-encoder" if way.method == "cross-encoder" else "cosine",
                    model=found.facts.name,
                )

        return Stream(answered())

    def zero_shot(
        self,
        texts: Sequence[str] = (),
        *,
        labels: Sequence[str],
        template: str = TEMPLATE,
        multi: bool = False,
        file: Path | None = None,
        model: str | None = None,
        batch: int | None = None,
        engine: str | None = None,
        device: str | None = None,
    ) -> Stream[ZeroShot]:
        """Give texts the labels named, in the order of the texts and in bounded memory.

        A model of inference (a classifier with the label entailment) judges the sentence that `template` makes of each
        label; an embedding model compares vectors. With `multi` labels are judged each for itself. Raises Invalid for
        labels or a template that make no sense, and as `rerank`.
        """
        names = _labels(labels)
        if template.count("{}") != 1:
            raise Invalid(f"--template needs {{}} once, where a label goes, such as {TEMPLATE!r}")
        size = _batch(batch)
        example = "ipfs-accel infer zero-shot 'The match ended two all.' --label sport --label politics"
        source = open_texts(texts, file, current(), example)
        ways = (Way("classify", "entailment", suits=is_of_inference), Way("embed", "cosine"))
        found, way = choose(self._opener, model, "judge labels", ways)
        if multi and way.method == "cosine":
            raise Invalid(f"--multi needs a model of inference: vectors of {found.facts.name} judge each label alone")
        sentences = [template.replace("{}", name) for name in names]

        def answered() -> Iterator[ZeroShot]:
            parts = _started(source, size)
            if parts is None:
                return
            with self._opener.open(found, way.task, engine, device) as opened:
                if way.method == "cosine":
                    scored = _near_labels(opened, sentences, parts, size)
                else:
                    scored = _entailed(opened, sentences, parts, size, multi=multi)
                for (first, window), rows in scored:
                    for place, text in enumerate(window):
                        yield _judged(first + place, text, names, rows[place], way.method, found)

        return Stream(answered())


def is_of_inference(model: Loadable) -> bool:
    """Say whether a classifier tells what follows from a text: one of its labels is entailment."""
    return any(name.lower().startswith("entail") for name in labels_of(model))


def _judged(
    index: int, text: str, names: Sequence[str], row: NDArray[numpy.float32], method: str, model: Loadable
) -> ZeroShot:
    values = shortest(row).tolist()
    order = numpy.argsort(-row, kind="stable").tolist()
    scores = [ZeroShotLabel(label=names[at], score=values[at]) for at in order]
    said: Literal["entailment", "cosine"] = "entailment" if method == "entailment" else "cosine"
    return ZeroShot(
        index=index,
        text=text,
        label=scores[0].label,
        score=scores[0].score,
        scores=scores,
        method=said,
        model=model.facts.name,
    )


def _paired(opened: Opened, query: str, parts: Iterable[_Window], batch: int) -> _Scored:
    """Yield the relevance of each text, read together with the query."""
    task, options = Rerank(), EmbedOptions(batch)
    asked = (
        ((first, texts), task.prepare(Pairs(tuple((query, text) for text in texts)), options)) for first, texts in parts
    )
    for window, found in in_order(opened, task, asked, "texts ranked"):
        yield window, found.rows[:, 0]


def _near(opened: Opened, query: str, parts: Iterable[_Window], batch: int) -> _Scored:
    """Yield the cosine of each text to the query."""
    asked = unit_vectors(opened, [query], "query")[0]
    for window, rows in _vectors(opened, parts, batch):
        yield window, rows @ asked


def _near_labels(opened: Opened, sentences: Sequence[str], parts: Iterable[_Window], batch: int) -> _Scored:
    """Yield the cosines of each text to the labels' sentences."""
    labels = unit_vectors(opened, sentences)
    for window, rows in _vectors(opened, parts, batch):
        yield window, rows @ labels.T


def _vectors(opened: Opened, parts: Iterable[_Window], batch: int) -> Iterator[tuple[_Window, Rows]]:
    task, options = Embed(), EmbedOptions(batch)
    asked = (((first, texts), task.prepare(Texts(tuple(texts), "document"), options)) for first, texts in parts)
    for window, found in in_order(opened, task, asked, "texts compared"):
        yield window, unit(found.rows)


def _entailed(
    opened: Opened, sentences: Sequence[str], parts: Iterable[_Window], batch: int, *, multi: bool
) -> _Scored:
    """Yield how much each label's sentence follows from each text (Yin et al. 2019).

    With `multi` that is the probability of entailment against contradiction; else the labels share a probability of 1
    by the logits of that.
    """
    task, options = Entail(), EmbedOptions(batch)
    asked = (
        (
            (first, texts),
            task.prepare(Pairs(tuple((text, sentence) for text in texts for sentence in sentences)), options),
        )
        for first, texts in parts
    )
    for window, found in in_order(opened, task, asked, "texts judged"):
        names = [name.lower() for name in found.labels]
        yes = next(at for at, name in enumerate(names) if name.startswith("entail"))
        no = next((at for at, name in enumerate(names) if name.startswith("contra")), None)
        for_it = found.rows[:, yes].astype(numpy.float64)
        against = 1 - for_it if no is None else found.rows[:, no].astype(numpy.float64)
        tiny = math.ulp(0.0) * 1e8
        odds = numpy.log(for_it + tiny) - numpy.log(against + tiny)
        odds = odds.reshape(len(window[1]), len(sentences))
        if multi:
            rows = 0.5 * (1 + numpy.tanh(odds / 2))
        else:
            raised = numpy.exp(odds - odds.max(axis=1, keepdims=True))
            rows = raised / raised.sum(axis=1, keepdims=True)
        yield window, rows.astype(numpy.float32)


def _best(scored: _Scored, top: int | None) -> list[tuple[float, int, str]]:
    """Return (score, index, text) of the best texts, the best first."""
    kept: list[tuple[float, int, str]] = []
    for (first, texts), scores in scored:
        values = shortest(scores.astype(numpy.float32)).tolist()
        for place, value in enumerate(values):
            entry = (value, -(first + place), texts[place])
            if top is None or len(kept) < top:
                heapq.heappush(kept, entry)
            else:
                heapq.heappushpop(kept, entry)
    return [(value, -index, text) for value, index, text in sorted(kept, reverse=True)]


def _started(source: Iterator[str], batch: int) -> Iterator[_Window] | None:
    """Return numbered windows of texts, or None when there are none; unreadable input is found before loading."""
    parts = windows(source, batch)
    first = next(parts, None)
    return None if first is None else _numbered(chain([first], parts))


def _numbered(parts: Iterable[list[str]]) -> Iterator[_Window]:
    count = 0
    for texts in parts:
        yield count, texts
        count += len(texts)


def _batch(batch: int | None) -> int:
    size = BATCH if batch is None else batch
    check_batch(size)
    return size


def _labels(labels: Sequence[str]) -> list[str]:
    names = list(dict.fromkeys(label.strip() for label in labels))
    if not names or "" in names:
        raise Invalid(
            "zero-shot needs labels, none of them empty",
            suggestion="ipfs-accel infer zero-shot 'The match ended two all.' --label sport --label politics",
        )
    return names
