"""Drawn shapes to train toys on: coloured circles, squares and triangles, small and large, where chance puts them.

The same random generator gives the same pictures. Needs numpy only. `python scripts/shapes.py FOLDER` writes a few as
PNG (with Pillow), to look at.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy

Array = Any

KINDS = ("circle", "square", "triangle")
COLOURS = {
    "red": (214, 40, 40),
    "green": (44, 150, 60),
    "blue": (40, 80, 200),
    "yellow": (240, 200, 30),
    "purple": (130, 50, 160),
    "orange": (240, 130, 30),
}
# The half of a side, as a share of the picture's.
SIZES = {"small": (0.10, 0.14), "large": (0.19, 0.25)}
ACROSS, DOWN = ("left", "middle", "right"), ("top", "middle", "bottom")
_FINE = 4


@dataclass(frozen=True, slots=True)
class Shape:
    """One thing to draw; its middle and the half of its side in pixels."""

    kind: str
    colour: str
    size: str
    x: float
    y: float
    half: float

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom edge in pixels."""
        return self.x - self.half, self.y - self.half, self.x + self.half, self.y + self.half

    def place(self, side: int) -> tuple[str, str]:
        """Say where it is, such as ("top", "left"), by the third of the picture in which its middle lies."""
        down, across = (min(2, int(3 * value / side)) for value in (self.y, self.x))
        return DOWN[down], ACROSS[across]


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture, uint8 (side, side, 3), its shapes, and which of them a pixel shows: its number from 1, else 0."""

    pixels: Array
    shapes: tuple[Shape, ...]
    numbers: Array


def chosen(rng: numpy.random.Generator, side: int = 64, size: str | None = None) -> Shape:
    """Return a shape by chance, wholly inside of the picture."""
    size = size or str(rng.choice(list(SIZES)))
    half = side * rng.uniform(*SIZES[size])
    x, y = rng.uniform(half + 1, side - half - 1, 2)
    kind, colour = str(rng.choice(KINDS)), str(rng.choice(list(COLOURS)))
    return Shape(kind, colour, size, float(x), float(y), float(half))


def scene(rng: numpy.random.Generator, *, count: int = 1, side: int = 64, apart: bool = True) -> Scene:
    """Return a picture of up to `count` shapes; with `apart` none touches another, so that fewer may find room."""
    shapes: list[Shape] = []
    for _ in range(count):
        for _attempt in range(20):
            shape = chosen(rng, side)
            if not apart or all(_apart(shape, other) for other in shapes):
                shapes.append(shape)
                break
    return draw(shapes, side=side, ground=int(rng.integers(225, 256)), noise=rng.normal(0, 3, (side, side, 1)))


def draw(shapes: list[Shape] | tuple[Shape, ...], *, side: int = 64, ground: int = 245, noise: Any = 0.0) -> Scene:
    """Draw shapes on a light ground with smooth edges, later ones over earlier ones."""
    picture = numpy.full((side, side, 3), float(ground))
    numbers = numpy.zeros((side, side), dtype=numpy.uint8)
    for number, shape in enumerate(shapes, 1):
        covered = _cover(shape, side)
        colour = numpy.array(COLOURS[shape.colour], dtype=float)
        picture = picture * (1 - covered[..., None]) + colour * covered[..., None]
        numbers[covered >= 0.5] = number
    pixels = numpy.clip(numpy.rint(picture + noise), 0, 255).astype(numpy.uint8)
    return Scene(pixels, tuple(shapes), numbers)


def words(shape: Shape) -> str:
    """Return a shape in words, such as "a large red circle"."""
    return f"a {shape.size} {shape.colour} {shape.kind}"


def _cover(shape: Shape, side: int) -> Array:
    """Return how much of each pixel a shape covers, 0 to 1."""
    left, right = (max(0, min(side, int(shape.x + sign * shape.half) + (sign > 0))) for sign in (-1, 1))
    top, bottom = (max(0, min(side, int(shape.y + sign * shape.half) + (sign > 0))) for sign in (-1, 1))
    steps = (numpy.arange(side * _FINE) + 0.5) / _FINE
    across = (steps[None, left * _FINE : right * _FINE] - shape.x) / shape.half
    down = (steps[top * _FINE : bottom * _FINE, None] - shape.y) / shape.half
    if shape.kind == "circle":
        inside = across**2 + down**2 <= 1
    elif shape.kind == "square":
        inside = (numpy.abs(across) <= 1) & (numpy.abs(down) <= 1)
    else:
        inside = (numpy.abs(down) <= 1) & (numpy.abs(across) <= (down + 1) / 2)
    covered = numpy.zeros((side, side))
    covered[top:bottom, left:right] = inside.reshape(bottom - top, _FINE, right - left, _FINE).mean(axis=(1, 3))
    return covered


def _apart(one: Shape, other: Shape) -> bool:
    gap = max(abs(one.x - other.x), abs(one.y - other.y))
    return gap > one.half + other.half + 1


def main() -> None:
    """Write nine pictures."""
    from PIL import Image

    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    rng = numpy.random.default_rng(0)
    for number in range(9):
        made = scene(rng, count=1 + number % 3)
        Image.fromarray(made.pixels).resize((256, 256)).save(folder / f"{number}.png")
        print(number, [(words(shape), shape.place(64)) for shape in made.shapes])


if __name__ == "__main__":
    main()
