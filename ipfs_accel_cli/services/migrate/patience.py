"""Waiting for a place that does not answer any more: a cut network is no failure of the items that fall into it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ipfs_accel_cli.backends.base import Backend
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import AccelError, TryAgain, Unavailable

_FIRST_SECONDS, _LONGEST_SECONDS = 0.25, 5.0


class Away(TryAgain):
    """A place did not answer for longer than one was ready to wait; the run goes on when it is begun again."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a run waits, and for which places."""

    places: Sequence[Backend]
    seconds: float
    sleep: Callable[[float], None]
    lock: threading.Lock = field(default_factory=threading.Lock)

    def waited(self, error: AccelError) -> bool:
        """Say whether an error lies with a place that was away, after it has come back; raises Away if it does not."""
        if not isinstance(error, TryAgain | Unavailable):
            return False
        # One asks, the others wait for the answer.
        with self.lock:
            began, pause, was_away = time.monotonic(), _FIRST_SECONDS, False
            while away := self._away():
                was_away = True
                if time.monotonic() - began >= self.seconds:
                    raise Away(
                        f"{away} has not answered for {self.seconds:g} s: {error.detail}",
                        suggestion="ipfs-accel migrate status",
                    )
                current().progress(0, None, f"Waiting for {away} to answer again")
                self.sleep(pause)
                pause = min(2 * pause, _LONGEST_SECONDS)
                current().check()
            return was_away

    def _away(self) -> str:
        return next((one.name for one in self.places if one.health().reachable is not True), "")
