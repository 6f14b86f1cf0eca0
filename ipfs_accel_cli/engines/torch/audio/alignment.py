"""When words are spoken: a path through the attention that a decoder pays to the sound (Giorgino 2009, Whisper)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor

_MEDIAN_FRAMES = 7


def path(attention: Tensor) -> tuple[NDArray[numpy.int64], NDArray[numpy.int64]]:
    """Return (tokens, frames) of the way through weights of shape (heads, tokens, frames) that gathers the most."""
    spread, mean = torch.std_mean(attention, dim=-2, keepdim=True, unbiased=False)
    weights = _median((attention - mean) / spread.clamp(min=1e-6)).mean(0)
    return _cheapest(-weights.double().cpu().numpy())


def begins(tokens: NDArray[numpy.int64], frames: NDArray[numpy.int64], count: int) -> list[int]:
    """Return the frame at which each of `count` tokens begins on a path, and the frame at which the last one ends."""
    firsts = [int(frames[numpy.argmax(tokens == at)]) for at in range(count)]
    return [*firsts, int(frames[-1]) + 1]


def words(texts: Sequence[str]) -> list[list[int]]:
    """Return the tokens of each word, by their places: a word begins with a space, as those of Whisper do.

    `texts` are the tokens one by one; a part of a character comes as a replacement character and belongs to the word.
    """
    found: list[list[int]] = []
    for at, text in enumerate(texts):
        if not found or text.startswith(" "):
            found.append([])
        found[-1].append(at)
    return found


def _median(weights: Tensor) -> Tensor:
    if weights.shape[-1] <= _MEDIAN_FRAMES:
        return weights
    half = _MEDIAN_FRAMES // 2
    padded = torch.nn.functional.pad(weights, (half, half), mode="reflect")
    return padded.unfold(-1, _MEDIAN_FRAMES, 1).median(-1).values


def _cheapest(costs: NDArray[numpy.float64]) -> tuple[NDArray[numpy.int64], NDArray[numpy.int64]]:
    """Return the cheapest way from one corner of a table to the other, by steps down, right or both."""
    rows, columns = costs.shape
    total = numpy.full((rows + 1, columns + 1), numpy.inf)
    total[0, 0] = 0
    step = numpy.zeros((rows + 1, columns + 1), numpy.int8)
    for row in range(1, rows + 1):
        above = total[row - 1]
        for column in range(1, columns + 1):
            ways = (above[column - 1], above[column], total[row, column - 1])
            best = min(range(3), key=ways.__getitem__)
            total[row, column], step[row, column] = costs[row - 1, column - 1] + ways[best], best
    row, column = rows, columns
    way = []
    while row > 0 and column > 0:
        way.append((row - 1, column - 1))
        taken = step[row, column]
        row, column = row - (taken != 2), column - (taken != 1)
    turned = numpy.array(way[::-1], numpy.int64)
    return turned[:, 0], turned[:, 1]
