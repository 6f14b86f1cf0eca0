"""Ids that sort by the time at which they were made (UUID version 7, RFC 9562)."""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Callable


class TimeOrdered:
    """Gives ids; those of one process sort as they were given, also within a millisecond or when a clock steps back."""

    def __init__(self, clock: Callable[[], float] = time.time, chance: Callable[[int], bytes] = os.urandom) -> None:
        self._clock = clock
        self._chance = chance
        self._last = 0
        self._lock = threading.Lock()

    def __call__(self) -> str:
        """Return a new id."""
        with self._lock:
            # 48 bits of milliseconds and 12 that count within one, as section 6.2 (method 1) allows.
            self._last = max(int(self._clock() * 1000) << 12, self._last + 1)
            stamp = self._last
        rest = int.from_bytes(self._chance(8)) >> 2
        return str(uuid.UUID(int=(stamp >> 12) << 80 | 7 << 76 | (stamp & 0xFFF) << 64 | 0b10 << 62 | rest))
