"""Pictures together with words, and what comes of the two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    from ipfs_accel_cli.engines.exchange.image import Pixels


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about a picture. The answer comes as Pieces, the options are GenerateOptions."""

    image: Pixels
    text: str


@dataclass(frozen=True, slots=True)
class CaptionOptions:
    """How to put pictures into words; temperature 0 takes the likeliest token.

    `begin` is what each caption goes on from, or what a model that follows instructions is told.
    """

    batch: int = 8
    max_tokens: int = 48
    temperature: float = 0.0
    seed: int = 0
    begin: str = ""


@dataclass(frozen=True, slots=True)
class Captions:
    """What was said of the pictures at `positions`, and in how many tokens each."""

    positions: tuple[int, ...]
    texts: tuple[str, ...]
    tokens: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Paired:
    """Places of pictures or texts in the space that both share: `rows` is float32, of unit length.

    `scale` and `bias` make a logit of a cosine, as the model was trained. Of several texts one fits a picture, or any
    number of them where `several` is true: then a logit stands for itself.
    """

    positions: tuple[int, ...]
    rows: NDArray[numpy.float32]
    scale: float
    bias: float = 0.0
    several: bool = False
    truncated: int = 0


@dataclass(frozen=True, slots=True)
class Wish:
    """A picture in words: what it is to show, and what it is not."""

    text: str
    without: str = ""


@dataclass(frozen=True, slots=True)
class DrawOptions:
    """How to draw a picture; a `width` or `height` of 0 is the model's own.

    `guidance` is how closely to follow the words (classifier-free guidance, Ho and Salimans 2022); 1 or less is none.
    """

    steps: int = 30
    guidance: float = 7.5
    seed: int = 0
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True)
class Strokes:
    """How far a picture has come."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture that was drawn; `truncated` when the words were longer than the model reads."""

    pixels: Pixels
    steps: int
    truncated: bool = False
