"""What every header comes to: named tensors with a dtype, a shape and a size."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor. `dtype` is torch's name, or ggml's for quantised blocks (`q4_k`); `size_bytes` is what it takes.

    `offset` is where its bytes begin in the file; None where the format keeps them as numbers, or in another file.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    size_bytes: int
    offset: int | None = field(default=None, compare=False)

    @property
    def parameters(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True)
class Header:
    """What a header says: `format`, the tensors, and the short values of its metadata."""

    format: str
    tensors: tuple[Tensor, ...]
    metadata: Mapping[str, Any] = field(default_factory=dict)
