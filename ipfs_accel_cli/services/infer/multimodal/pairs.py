"""Pictures and texts in one space: as vectors, by nearness to a query, or pictures by the labels that fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

import numpy
from numpy.typing import NDArray

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.engines.exchange.image import ImageOptions, Images
from ipfs_accel_cli.engines.exchange.multimodal import Paired
from ipfs_accel_cli.engines.exchange.text import Texts
from ipfs_accel_cli.services.infer.floats import shortest
from ipfs_accel_cli.services.infer.multimodal.results import Pairing, PairLabel
from ipfs_accel_cli.services.infer.multimodal.windows import Windows
from ipfs_accel_cli.services.infer.opening import Opened
from ipfs_accel_cli.services.infer.ranking import Ranking
from ipfs_accel_cli.services.infer.toys import is_toy
from ipfs_accel_cli.tasks.pair_embed import PairEmbed

if TYPE_CHECKING:
    from ipfs_accel_cli.engines.exchange.image import Pixels

Rows = NDArray[numpy.float32]
Kind = Literal["image", "text"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of the pictures and texts: to be near to a `query`, a text or a picture, or to take `labels`."""

    query: str | Pixels | None = None
    labels: tuple[str, ...] = ()
    top: int | None = None
    vectors: bool = False
    batch: int = 8


class Pairs:
    """One run of a loaded model over texts and pictures."""

    def __init__(self, opened: Opened, wanted: Wanted) -> None:
        self._opened, self._wanted, self._task = opened, wanted, PairEmbed()
        key, facts = opened.warm.key, opened.model.facts
        self._said: dict[str, Any] = {
            "model": facts.name,
            "model_cid": facts.manifest,
            "toy": is_toy(opened.model.folder),
            "engine": key.engine,
        }

    def answers(self, texts: Sequence[str], windows: Windows | None) -> Iterator[Pairing]:
        """Yield what was asked for, texts before pictures; SomeFailed ends it when pictures could not be read."""
        query = self._wanted.query
        if query is not None:
            yield from self._ranked(texts, windows, query)
        else:
            labels = self._embedded(Texts(self._wanted.labels)) if self._wanted.labels else None
            for kind, first, names, found in self._windows(texts, windows):
                for place, name in enumerate(names):
                    yield self._one(kind, first + place, name, found.rows[place], labels)
        if windows is not None:
            windows.end()

    def _one(self, kind: Kind, index: int, name: str, row: Rows, labels: Paired | None) -> Pairing:
        scored = None if labels is None else _scored(row, labels, self._wanted)
        return Pairing(
            index=index,
            kind=kind,
            item=name,
            score=scored[0].score if scored else None,
            label=scored[0].label if scored else None,
            labels=scored,
            dimensions=len(row),
            vector=shortest(row).tolist() if labels is None or self._wanted.vectors else None,
            **self._said,
        )

    def _ranked(self, texts: Sequence[str], windows: Windows | None, query: str | Pixels) -> Iterator[Pairing]:
        asked = self._embedded(Texts((query,)) if isinstance(query, str) else Images((query,)))
        ranking = Ranking(asked.rows, top=self._wanted.top, vectors=self._wanted.vectors)
        kinds: list[tuple[Kind, int]] = []
        for kind, first, names, found in self._windows(texts, windows):
            ranking.add(len(kinds), names, found.rows)
            kinds += [(kind, first + place) for place in range(len(names))]
        for rank, near in enumerate(ranking.nearest(), 1):
            kind, index = kinds[near.index]
            yield Pairing(
                index=index,
                kind=kind,
                item=near.text,
                rank=rank,
                score=float(shortest(numpy.array([near.score], dtype=numpy.float32))[0]),
                dimensions=asked.rows.shape[1],
                vector=None if near.row is None else shortest(near.row).tolist(),
                **self._said,
            )

    def _windows(self, texts: Sequence[str], windows: Windows | None) -> Iterator[tuple[Kind, int, list[str], Paired]]:
        """Yield kind, index of the first, names and vectors of a few at a time."""
        left, done = iter(texts), 0
        while some := list(islice(left, self._wanted.batch)):
            yield "text", done, some, self._embedded(Texts(tuple(some)))
            done += len(some)
        done = 0
        for pictures in windows or ():
            found = self._embedded(Images(tuple(picture.pixels for picture in pictures)))
            yield "image", done, [picture.name for picture in pictures], found
            done += len(pictures)
            current().progress(done, None, "pictures embedded")

    def _embedded(self, what: Texts | Images) -> Paired:
        request = self._task.prepare(what, ImageOptions(self._wanted.batch))
        return self._opened.answer(self._task, request)


def check(wanted: Wanted, texts: Sequence[str], images: int, *, both: bool) -> None:
    """Raise Invalid for what makes no sense together."""
    if both:
        raise Invalid("give --query or --query-image, not both")
    if wanted.labels and wanted.query is not None:
        raise Invalid("--label names what pictures may show, --query ranks: give one of them")
    if wanted.labels and texts:
        raise Invalid(
            "--label is for pictures: leave the texts out", suggestion="--image FILE --label TEXT --label TEXT"
        )
    if len(wanted.labels) == 1:
        raise Invalid("one --label fits every picture; give at least two")
    if wanted.top is not None and wanted.query is None and not wanted.labels:
        raise Invalid("--top needs a --query or labels")
    if not texts and not images:
        raise Invalid(
            "there is nothing to embed: name texts, or pictures with --image",
            suggestion='ipfs-accel infer multimodal embed --image photo.jpg "a red circle"',
        )


def _scored(row: Rows, labels: Paired, wanted: Wanted) -> list[PairLabel]:
    """Return the labels of a picture, the best first, scored as the model was trained."""
    logits = (labels.rows @ row).astype(numpy.float64) * labels.scale + labels.bias
    if labels.several:
        scores = 1 / (1 + numpy.exp(-logits))
    else:
        odds = numpy.exp(logits - logits.max())
        scores = odds / odds.sum()
    rounded = shortest(scores.astype(numpy.float32)).tolist()
    best = sorted(zip(wanted.labels, rounded, strict=True), key=lambda pair: -pair[1])
    return [PairLabel(label=label, score=score) for label, score in best[: wanted.top]]
