"""What models say of pictures, as results: labels, vectors, things, regions and text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy

from ipfs_accel_cli.engines.exchange.image import Boxes, Line, Lines, Region, Regions
from ipfs_accel_cli.engines.exchange.text import Scores, Vectors
from ipfs_accel_cli.services.infer.floats import shortest
from ipfs_accel_cli.services.infer.image import drawing
from ipfs_accel_cli.services.infer.image.reading import Picture, Unread
from ipfs_accel_cli.services.infer.image.results import (
    FoundRegion,
    FoundThing,
    PictureLabels,
    PictureRegions,
    PictureText,
    PictureThings,
    PictureVector,
    RunLengths,
    TextLine,
)
from ipfs_accel_cli.services.infer.image.run import PictureRun
from ipfs_accel_cli.services.infer.image.writing import Targets, write
from ipfs_accel_cli.services.infer.ranking import Ranking
from ipfs_accel_cli.services.infer.results import LabelScore
from ipfs_accel_cli.services.infer.toys import is_toy

Pictures = Iterator[Picture | Unread]


@dataclass(frozen=True, slots=True)
class Query:
    """What pictures are ranked against: the `top` nearest (None: all), with or without their vectors."""

    picture: Picture
    top: int | None = None
    vectors: bool = False


def labelled(run: PictureRun[Scores], pictures: Pictures, top: int | None) -> Iterator[PictureLabels]:
    """Yield the labels of every picture, the `top` likeliest (None: all)."""
    for batch, found in run.batches(pictures):
        rows = shortest(found.rows).tolist()
        orders = numpy.argsort(-found.rows, axis=1, kind="stable").tolist()
        for (index, picture), row, order in zip(batch, rows, orders, strict=True):
            scores = [LabelScore(label=found.labels[at], score=row[at]) for at in order[:top]]
            yield PictureLabels(
                index=index,
                file=picture.name,
                label=scores[0].label,
                score=scores[0].score,
                scores=scores,
                model=run.opened.model.facts.name,
                toy=is_toy(run.opened.model.folder),
            )


def vectors(run: PictureRun[Vectors], pictures: Pictures) -> Iterator[PictureVector]:
    """Yield the vector of every picture in the order of the pictures."""
    for batch, found in run.batches(pictures):
        for (index, picture), vector in zip(batch, shortest(found.rows).tolist(), strict=True):
            yield PictureVector(
                index=index,
                file=picture.name,
                dimensions=len(vector),
                pooling=found.pooling,
                vector=vector,
                model=run.opened.model.facts.name,
                toy=is_toy(run.opened.model.folder),
            )


def ranked(run: PictureRun[Vectors], pictures: Pictures, query: Query) -> Iterator[PictureVector]:
    """Look at all pictures, then yield the nearest to the query first; raises SomeFailed after that."""
    asked = run.ask([query.picture])
    ranking = Ranking(asked.rows, top=query.top, vectors=query.vectors)
    for batch, found in run.batches(pictures, ends=False):
        for at, (index, picture) in enumerate(batch):
            ranking.add(index, [picture.name], found.rows[at : at + 1])
    nearest = ranking.nearest()
    scores = shortest(numpy.array([near.score for near in nearest], dtype=numpy.float32)).tolist()
    for rank, (near, score) in enumerate(zip(nearest, scores, strict=True), 1):
        yield PictureVector(
            index=near.index,
            file=near.text,
            rank=rank,
            score=score,
            dimensions=asked.rows.shape[1],
            pooling=asked.pooling,
            vector=None if near.row is None else shortest(near.row).tolist(),
            model=run.opened.model.facts.name,
            toy=is_toy(run.opened.model.folder),
        )
    run.failures.end()


def detected(run: PictureRun[Boxes], pictures: Pictures, targets: Targets | None) -> Iterator[PictureThings]:
    """Yield the things in every picture, in pixels of the picture as it lies in its file, upright."""
    for batch, found in run.batches(pictures):
        for (index, picture), boxes in zip(batch, found.found, strict=True):
            outlines = [
                (_corners(box.left, box.top, box.right, box.bottom), f"{box.label} {box.score:.0%}") for box in boxes
            ]
            things = [
                FoundThing(
                    label=box.label,
                    score=round(box.score, 4),
                    box=_scaled(picture, (box.left, box.top, box.right, box.bottom)),
                )
                for box in boxes
            ]
            yield PictureThings(
                index=index,
                file=picture.name,
                width=picture.width,
                height=picture.height,
                count=len(things),
                summary=", ".join(thing.label for thing in things) or "nothing",
                things=things,
                annotated=_drawn(targets, picture, drawing.with_boxes(picture.pixels, outlines) if targets else None),
                model=run.opened.model.facts.name,
                toy=is_toy(run.opened.model.folder),
            )


def segmented(
    run: PictureRun[Regions], pictures: Pictures, targets: Targets | None, *, masks: bool
) -> Iterator[PictureRegions]:
    """Yield the regions of every picture, each with its mask where it is asked for."""
    for batch, found in run.batches(pictures):
        for (index, picture), parts in zip(batch, found.found, strict=True):
            regions = [_region(picture, part, masks=masks) for part in parts]
            tints = [(part.mask, part.label) for part in parts]
            yield PictureRegions(
                index=index,
                file=picture.name,
                width=picture.width,
                height=picture.height,
                count=len(regions),
                summary=", ".join(f"{region.label} {region.share:.0%}" for region in regions) or "nothing",
                regions=regions,
                annotated=_drawn(targets, picture, drawing.with_regions(picture.pixels, tints) if targets else None),
                model=run.opened.model.facts.name,
                toy=is_toy(run.opened.model.folder),
            )


def read(run: PictureRun[Lines], pictures: Pictures, targets: Targets | None, *, boxes: bool) -> Iterator[PictureText]:
    """Yield the text of every picture."""
    for batch, found in run.batches(pictures):
        for (index, picture), lines in zip(batch, found.found, strict=True):
            yield text_of(index, picture, lines, targets, boxes=boxes, model=run.opened.model.facts.name)


def text_of(
    index: int, picture: Picture, lines: tuple[Line, ...], targets: Targets | None, *, boxes: bool, model: str
) -> PictureText:
    """Return the lines of one picture as a result."""
    drawn = drawing.with_boxes(picture.pixels, [(line.corners, line.text) for line in lines]) if targets else None
    return PictureText(
        index=index,
        file=picture.name,
        width=picture.width,
        height=picture.height,
        text="\n".join(line.text for line in lines),
        count=len(lines),
        score=round(sum(line.score for line in lines) / len(lines), 4) if lines else None,
        lines=[_line(picture, line) for line in lines] if boxes else None,
        annotated=_drawn(targets, picture, drawn),
        model=model,
    )


def _line(picture: Picture, line: Line) -> TextLine:
    across, down = [x for x, _ in line.corners], [y for _, y in line.corners]
    wide, high = picture.scale
    return TextLine(
        text=line.text,
        score=round(line.score, 4),
        box=_scaled(picture, (min(across), min(down), max(across), max(down))),
        corners=[[round(x * wide, 1), round(y * high, 1)] for x, y in line.corners],
    )


def _region(picture: Picture, part: Region, *, masks: bool) -> FoundRegion:
    rows, columns = numpy.flatnonzero(part.mask.any(axis=1)), numpy.flatnonzero(part.mask.any(axis=0))
    box = (float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))
    high, wide = part.mask.shape
    return FoundRegion(
        label=part.label,
        score=round(part.score, 4),
        share=round(float(part.mask.mean()), 4),
        box=_scaled(picture, box),
        mask=RunLengths(size=[high, wide], counts=drawing.run_lengths(part.mask)) if masks else None,
    )


def _scaled(picture: Picture, box: tuple[float, float, float, float]) -> list[float]:
    wide, high = picture.scale
    return [round(edge * (wide, high)[at % 2], 1) for at, edge in enumerate(box)]


def _corners(left: float, top: float, right: float, bottom: float) -> tuple[tuple[float, float], ...]:
    return (left, top), (right, top), (right, bottom), (left, bottom)


def _drawn(targets: Targets | None, picture: Picture, image: Any) -> str | None:
    if targets is None:
        return None
    path, format_ = targets.of(picture.name, picture.format)
    write(image, path, format_)
    return str(path)
