"""How fast a migration may go: one rate, or a timetable such as `08:00,512k 19:00,off` in the local time of day."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ipfs_accel_cli.backends.wrap.limit import Bucket, taken
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.core.units import parse_bytes

_ENTRY = re.compile(r"(?:(Mon|Tue|Wed|Thu|Fri|Sat|Sun)-)?(\d\d):(\d\d),(\S+)", re.IGNORECASE)
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEK_MINUTES = 7 * 24 * 60
_LOOK_SECONDS = 0.2
_BURST_SECONDS = 0.25
_LEAST_BYTES_S = 1024


@dataclass(frozen=True, slots=True)
class Change:
    """From this minute of the week on so many bytes a second pass; None is no limit."""

    minute: int
    rate: int | None


def timetable(text: str) -> tuple[Change, ...]:
    """Read a rate or a timetable, in the order of the week; raises Invalid. Nothing is no limit."""
    words = text.split()
    if not words:
        return ()
    if len(words) == 1 and "," not in words[0]:
        return (Change(0, _rate(words[0])),)
    found: dict[int, int | None] = {}
    for word in words:
        match = _ENTRY.fullmatch(word)
        if match is None or int(match[2]) > 23 or int(match[3]) > 59:
            raise Invalid(f'{word!r} is no entry of a timetable; write for example "08:00,512k 19:00,off"')
        days = range(7) if match[1] is None else (_DAYS.index(match[1].lower()),)
        for day in days:
            found[(day * 24 + int(match[2])) * 60 + int(match[3])] = _rate(match[4])
    return tuple(Change(minute, rate) for minute, rate in sorted(found.items()))


def rate_at(changes: Sequence[Change], now: datetime) -> int | None:
    """Return the bytes a second that may pass at a time; what holds before the first change is the last of the week."""
    if not changes:
        return None
    minute = (now.weekday() * 24 + now.hour) * 60 + now.minute
    return next((one.rate for one in reversed(changes) if one.minute <= minute), changes[-1].rate)


class Pace:
    """A rate that all transfers of a run share, looked up in the timetable as time goes on."""

    def __init__(self, text: str, clock: Callable[[], datetime] = datetime.now) -> None:
        self._changes = timetable(text)
        self._clock = clock
        self._rate: int | None = None
        self._bucket: Bucket | None = None
        self._lock = threading.Lock()

    def wait(self, size_bytes: int) -> None:
        """Wait until so many bytes may pass; raises Cancelled."""
        if not self._changes:
            return
        with self._lock:
            rate, now = rate_at(self._changes, self._clock()), time.monotonic()
            if rate != self._rate or self._bucket is None:
                self._rate = rate
                self._bucket = None if rate is None else Bucket(rate, rate * _BURST_SECONDS, rate * _BURST_SECONDS, now)
            if self._bucket is None:
                return
            self._bucket, seconds = taken(self._bucket, size_bytes, now)
        until, call = now + seconds, current()
        while (left := until - time.monotonic()) > 0:
            call.stopped.wait(min(left, _LOOK_SECONDS))
            call.check()


def _rate(text: str) -> int | None:
    if text.lower() == "off":
        return None
    rate = parse_bytes(text)
    if rate < _LEAST_BYTES_S:
        raise Invalid(f"{text!r} is less than 1k a second; `off` is no limit")
    return rate
