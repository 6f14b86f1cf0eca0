"""What was found, drawn into the picture: boxes with their labels, and tinted regions."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

    from ipfs_accel_cli.engines.exchange.image import Pixels

Point = tuple[float, float]
_TINT = 0.5
# Neighbours on the circle of colours as unlike as can be.
_GOLDEN = 0.618034


def with_boxes(pixels: Pixels, boxes: Sequence[tuple[Sequence[Point], str]]) -> Image:
    """Return the picture with each outline drawn and its words beside it."""
    from PIL import Image, ImageDraw, ImageFont

    image = Image.fromarray(pixels)
    draw, width = ImageDraw.Draw(image), max(1, round(max(image.size) / 300))
    size = max(10, round(max(image.size) / 50))
    font = ImageFont.load_default(size=size)
    colours = {label: _colour(at) for at, label in enumerate(dict.fromkeys(_kind(said) for _, said in boxes))}
    for corners, said in boxes:
        colour = colours[_kind(said)]
        draw.line([*corners, corners[0]], fill=colour, width=width, joint="curve")
        left, top = min(x for x, _ in corners), min(y for _, y in corners)
        box = draw.textbbox((left, top), said, font=font, anchor="lb" if top > size else "lt")
        draw.rectangle(box, fill=colour)
        draw.text((box[0], box[1]), said, fill="white", font=font, anchor="lt")
    return image


def with_regions(pixels: Pixels, regions: Sequence[tuple[NDArray[numpy.bool_], str]]) -> Image:
    """Return the picture with each region tinted and its words in its middle."""
    from PIL import Image, ImageDraw, ImageFont

    tinted = pixels.astype(numpy.float32)
    for at, (mask, _) in enumerate(regions):
        tinted[mask] = tinted[mask] * (1 - _TINT) + numpy.array(_colour(at), dtype=numpy.float32) * _TINT
    image = Image.fromarray(tinted.astype(numpy.uint8))
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(size=max(10, round(max(image.size) / 50)))
    for at, (mask, said) in enumerate(regions):
        rows, columns = numpy.nonzero(mask)
        if len(rows):
            place = float(numpy.median(columns)), float(numpy.median(rows))
            draw.text(place, said, fill="white", font=font, anchor="mm", stroke_width=2, stroke_fill=_colour(at))
    return image


def run_lengths(mask: NDArray[numpy.bool_]) -> list[int]:
    """Return COCO's uncompressed run lengths of a mask: column by column, the first run of pixels outside."""
    flat = mask.ravel(order="F")
    ends = numpy.flatnonzero(numpy.diff(flat)) + 1
    runs = numpy.diff(numpy.concatenate([[0], ends, [flat.size]])).tolist()
    return [0, *runs] if flat.size and flat[0] else runs


def from_run_lengths(counts: Sequence[int], height: int, width: int) -> NDArray[numpy.bool_]:
    """Return the mask of run lengths, bool, shape (height, width)."""
    values = numpy.repeat(numpy.arange(len(counts)) % 2 == 1, counts)
    return values.reshape((height, width), order="F")


def _kind(said: str) -> str:
    return said.rpartition(" ")[0]


def _colour(at: int) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb((at * _GOLDEN) % 1, 0.85, 0.75)
    return round(red * 255), round(green * 255), round(blue * 255)
