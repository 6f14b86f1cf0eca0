"""A long sound in windows that a model hears at once, cut where nobody speaks, else at the quietest moment."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy

from ipfs_accel_cli.services.infer.audio.activity import Finder, Rules, Stretch
from ipfs_accel_cli.services.infer.audio.listening import FRAME, RATE, Frames
from ipfs_accel_cli.services.infer.audio.reading import Samples

LONGEST_S = 28.0
# A longer silence is not worth hearing: what follows begins a window of its own.
_LONGEST_GAP_S = 3.0
_QUIET_FRAMES = 5
# Whisper needs a little silence around speech; words at the edge of a window are lost otherwise.
SPEECH = Rules(min_speech_s=0.1, min_silence_s=0.3, pad_s=0.2)


@dataclass(frozen=True, slots=True)
class Window:
    """Some of a sound: `start` is where it begins, in samples; `speech` is where somebody speaks, from there on."""

    samples: Samples
    start: int
    speech: tuple[Stretch, ...] = ()


@dataclass(slots=True)
class Cutter:
    """Takes blocks as they come; holds no more of the sound than two windows."""

    longest: int = int(LONGEST_S * RATE)
    finder: Finder = field(default_factory=lambda: Finder(SPEECH, RATE, FRAME))
    _held: Samples = field(default_factory=lambda: numpy.zeros(0, numpy.float32))
    _origin: int = 0
    _ready: deque[Stretch] = field(default_factory=deque)
    _cut: int = 0

    @property
    def held(self) -> int:
        """How many samples are kept."""
        return len(self._held)

    def windows(self, blocks: Iterable[Frames]) -> Iterator[Window]:
        """Yield the windows in order; together they hold every stretch of speech once."""
        total = 0
        for block in blocks:
            self._held = numpy.concatenate([self._held, block.samples])
            total += len(block.samples)
            self._take(self.finder.feed(block.chances))
            while (end := self._complete(total)) is not None:
                yield self._window(end)
            self._forget(total)
        self._take(self.finder.finish(total))
        while self._ready:
            yield self._window(self._group(total, ended=True))

    def _take(self, stretches: Iterable[Stretch]) -> None:
        # One that waited for the next may lie in a window that was cut in the meantime.
        self._ready.extend(one for one in stretches if one.end > self._cut)

    def _complete(self, total: int) -> int | None:
        """Return where the next window ends, or None while more may belong to it."""
        if self._ready:
            end = self._group(total, ended=False)
            return end if end else None
        first = self.finder.earliest
        if first is None or self.finder.open_start is None:
            return None
        start = max(first, self._cut)
        if total - start <= self.longest:
            return None
        return self._quietest(start)

    def _group(self, total: int, *, ended: bool) -> int:
        """Return the end of the stretches that go together, 0 while another may join them."""
        start = max(self._ready[0].start, self._cut)
        end = start
        for stretch in self._ready:
            if end > start and (stretch.end - start > self.longest or stretch.start - end > _LONGEST_GAP_S * RATE):
                return end
            end = stretch.end
            if end - start > self.longest:
                return self._quietest(start) if end - start > self.longest + 2 * RATE else end
        begun = self.finder.open_start
        # What is being spoken still joins them only if it ends in time; a long silence ends the wait.
        waits = total - start <= self.longest if begun is not None else total - end <= _LONGEST_GAP_S * RATE
        return end if ended or not waits else 0

    def _window(self, end: int) -> Window:
        first = self._ready[0].start if self._ready else self.finder.earliest
        start = max(first if first is not None else self._cut, self._cut)
        speech = self._speech(start, end)
        while self._ready and self._ready[0].end <= end:
            self._ready.popleft()
        self._cut = end
        return Window(self._held[start - self._origin : end - self._origin], start, speech)

    def _speech(self, start: int, end: int) -> tuple[Stretch, ...]:
        """Return where somebody speaks between two samples, from the first of them on."""
        known = [*self._ready]
        if self.finder.earliest is not None:
            known.append(Stretch(self.finder.earliest, end))
        inside = (Stretch(max(one.start, start) - start, min(one.end, end) - start, one.probability) for one in known)
        return tuple(one for one in inside if one.start < one.end)

    def _quietest(self, start: int) -> int:
        """Return the quietest moment of the second half of a window that is full."""
        begin, end = start + self.longest // 2, start + self.longest
        part = self._held[begin - self._origin : end - self._origin]
        frames = part[: len(part) // FRAME * FRAME].reshape(-1, FRAME)
        loudness = numpy.convolve(numpy.square(frames).mean(axis=1), numpy.ones(_QUIET_FRAMES), "valid")
        return begin + (int(loudness.argmin()) + _QUIET_FRAMES // 2) * FRAME + FRAME // 2

    def _forget(self, total: int) -> None:
        """Let go of what no window can begin in any more."""
        first = self.finder.earliest
        needed = self._ready[0].start if self._ready else first if first is not None else total - RATE
        needed = max(min(needed, total), self._cut, self._origin)
        self._held = self._held[needed - self._origin :]
        self._origin = needed
