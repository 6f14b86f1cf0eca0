"""How many threads pay on a machine that others use too."""

from __future__ import annotations

import math

# Threads meet at a barrier after each operation, so one that must share its core holds up all the others: a small
# decoder on two cores beside other work made 480 tokens/s with one thread and 16 with two.
_SHARED = 0.35


def threads(cores: int, busy_cores: float) -> int:
    """Return the number of threads for `cores` usable cores of which others keep `busy_cores` busy; at least one."""
    return max(1, math.floor(cores - busy_cores + _SHARED))
