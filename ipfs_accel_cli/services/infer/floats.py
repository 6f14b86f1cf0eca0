"""float32 values as the shortest decimals that give them back."""

from __future__ import annotations

import numpy
from numpy.typing import NDArray

# Below 8 a float32 has at least 6 sure decimals; above, rounding begins at whole numbers.
_FIRST_DECIMALS, _LAST_DECIMALS, _SMALL = 6, 15, 8.0


def shortest(values: NDArray[numpy.float32]) -> NDArray[numpy.float64]:
    """Return floats of the same shape whose `repr` is the shortest that float32 reads back exactly.

    `0.1` instead of `0.10000000149011612`: half the text, the same float32.
    """
    exact = values.astype(numpy.float64).ravel()
    short, left = exact.copy(), numpy.arange(exact.size)
    first = _FIRST_DECIMALS if float(numpy.abs(exact).max(initial=0.0)) < _SMALL else 0
    for decimals in range(first, _LAST_DECIMALS + 1):
        if not left.size:
            break
        rounded = numpy.round(exact[left], decimals)
        same = rounded.astype(numpy.float32) == exact[left].astype(numpy.float32)
        short[left[same]] = rounded[same]
        left = left[~same]
    for position in left:
        short[position] = float(str(numpy.float32(exact[position])))
    return short.reshape(values.shape)
