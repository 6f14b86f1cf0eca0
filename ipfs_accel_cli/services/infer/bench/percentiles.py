"""Percentiles, but only where there are enough samples to say them. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ipfs_accel_cli.core.figures import Row, row

SHOWN = (0.9, 0.95, 0.99)
# So many samples must lie beyond a percentile: with fewer, one of them alone decides it.
_BEYOND = 5
_DIGITS = 9


def percentile(samples: Sequence[float], share: float) -> float | None:
    """Return the least sample that at least this share lies at or below; None where too few lie beyond it.

    The nearest-rank method: what is returned was seen.
    """
    # Rounded, for in binary a tenth of fifty is less than five.
    rank = math.ceil(round(share * len(samples), _DIGITS))
    if len(samples) - rank < _BEYOND:
        return None
    return sorted(samples)[rank - 1]


def of_latency(name: str, samples: Sequence[float]) -> list[Row]:
    """Return a latency in seconds: its median with its spread, and the percentiles that there are samples for."""
    if not samples:
        return []
    rows = [row(name, "seconds", samples, "lower")]
    for share in SHOWN:
        found = percentile(samples, share)
        if found is not None:
            rows.append(rows[0].model_copy(update={"name": f"{name}-p{share * 100:g}", "median": found, "mad": None}))
    return rows
