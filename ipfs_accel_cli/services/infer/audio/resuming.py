"""Where a window is heard on, after a model wrote down less than is spoken in it."""

from __future__ import annotations

from collections.abc import Sequence

from ipfs_accel_cli.services.infer.audio.activity import Stretch
from ipfs_accel_cli.services.infer.audio.listening import RATE

# Times that Whisper tells are right to about half a second: a pause so near is where it stopped.
_NEAR = int(0.7 * RATE)
# Shorter speech after the last time it told may be the end of what it wrote already.
_LEAST_APART = int(0.5 * RATE)
_LEAST_JOINED = int(3.0 * RATE)


def resume(speech: Sequence[Stretch], read: int, *, complete: bool) -> int | None:
    """Return the sample from which a window is to be heard again, None if all of it was heard.

    `read` is where the last segment ends. A model that says that it is not done is heard from there on, or from the
    pause beside it. One that says so is believed unless somebody speaks on: after a pause, or for long.
    """
    if not complete:
        beside = min((one.start for one in speech), key=lambda start: abs(start - read), default=read)
        return beside if beside > 0 and abs(beside - read) <= _NEAR else read
    apart = [one for one in speech if one.start >= read - _LEAST_APART // 2]
    if sum(one.end - one.start for one in apart) >= _LEAST_APART:
        return max(apart[0].start, 1)
    joined = sum(max(0, one.end - max(one.start, read)) for one in speech)
    return read if joined >= _LEAST_JOINED else None


def from_sample(speech: Sequence[Stretch], at: int) -> tuple[Stretch, ...]:
    """Return the same speech as told from a later sample on."""
    moved = (Stretch(max(0, one.start - at), one.end - at, one.probability) for one in speech)
    return tuple(one for one in moved if one.end > one.start)
