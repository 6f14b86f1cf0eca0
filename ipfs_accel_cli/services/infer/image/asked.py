"""What is asked about pictures, and what is to be done to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

BATCH = 8


@dataclass(frozen=True, slots=True)
class Asked:
    """What every question about pictures is asked with."""

    files: Sequence[Path]
    model: str | None = None
    batch: int | None = None
    frame: int = 0
    engine: str | None = None
    device: str | None = None
    stats: bool = False

    @property
    def size(self) -> int:
        """How many pictures go through the model at once."""
        return BATCH if self.batch is None else self.batch


@dataclass(frozen=True, slots=True)
class Change:
    """What is done to a picture, in this order: upright, crop, rotate (degrees, clockwise), resize, grey.

    `crop` is left,top,right,bottom in pixels; `resize` is WxH, or Wx or xH that keep the shape, or N% of both.
    """

    resize: str | None = None
    crop: str | None = None
    rotate: float = 0.0
    grey: bool = False
    format: str | None = None
    quality: int | None = None
    metadata: bool = False
