"""Pictures and what is found in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    # Red, green and blue, shape (height, width, 3), the first row at the top.
    Pixels = NDArray[numpy.uint8]


@dataclass(frozen=True, slots=True)
class Images:
    """What a request about pictures carries; they may differ in size. Labels and vectors come as Scores and Vectors."""

    images: tuple[Pixels, ...]


@dataclass(frozen=True, slots=True)
class ImageOptions:
    """`batch`: how many pictures go through the model at once."""

    batch: int = 8


@dataclass(frozen=True, slots=True)
class FindOptions:
    """What is looked for in pictures: what scores less than `threshold`, 0 to 1, is left out."""

    batch: int = 8
    threshold: float = 0.5


@dataclass(frozen=True, slots=True)
class Box:
    """A thing in a picture; edges in pixels from the left and from the top, the far ones just outside of it."""

    label: str
    score: float
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Boxes:
    """What was detected in the pictures at `positions`, the surest first."""

    positions: tuple[int, ...]
    found: tuple[tuple[Box, ...], ...]


@dataclass(frozen=True, slots=True)
class Region:
    """The pixels of a picture that show a thing: `mask` is bool, shape (height, width); `score` is 0 to 1."""

    label: str
    score: float
    mask: NDArray[numpy.bool_]


@dataclass(frozen=True, slots=True)
class Regions:
    """The parts of the pictures at `positions`, the largest first."""

    positions: tuple[int, ...]
    found: tuple[tuple[Region, ...], ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text in a picture: `corners` in pixels (x, y), from the first letter's top on, clockwise."""

    text: str
    score: float
    corners: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Lines:
    """The text of the pictures at `positions`, in the order of reading."""

    positions: tuple[int, ...]
    found: tuple[tuple[Line, ...], ...]
