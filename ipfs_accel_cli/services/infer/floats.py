"""float32 values as the shortest decimals that give them back."""

from __future__ import annotations

import numpy
from numpy.typing import NDArray

# Below 8 neighbouring float32 lie within 10**-6, so rounding to 6 decimals cannot give more digits than needed.
_FIRST_DECIMALS, _LAST_DECIMALS, _SMALL = 6, 15, 8.0
# So many are written one by one sooner than another round is begun for them.
_FEW = 24


def shortest(values: NDArray[numpy.float32]) -> NDArray[numpy.float64]:
    """Return floats of the same shape whose `repr` is the shortest that float32 reads back exactly.

    `0.1` instead of `0.10000000149011612`: half the text, the same float32.
    """
    single = values.ravel()
    exact = single.astype(numpy.float64)
    short, small = exact.copy(), numpy.abs(exact) < _SMALL
    left = numpy.flatnonzero(small)
    for decimals in range(_FIRST_DECIMALS, _LAST_DECIMALS + 1):
        if left.size <= _FEW:
            break
        rounded = numpy.round(exact[left], decimals)
        same = rounded.astype(numpy.float32) == single[left]
        short[left[same]] = rounded[same]
        left = left[~same]
    # The few that are large or tiny are written one by one, which is slower.
    for position in (*left, *numpy.flatnonzero(~small)):
        short[position] = float(str(single[position]))
    return short.reshape(values.shape)
