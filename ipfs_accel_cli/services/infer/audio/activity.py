"""From how likely each frame is speech to stretches of speech, as silero-vad's own reference does it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ipfs_accel_cli.core.errors import Invalid

_HYSTERESIS = 0.15
_LEAST = 0.01
_LONGEST_S = 3600.0


@dataclass(frozen=True, slots=True)
class Rules:
    """What counts as speech: above `threshold`, at least so long, with silence of at least so long after it.

    Each stretch is widened by `pad_s` on both sides, as far as there is silence.
    """

    threshold: float = 0.5
    min_speech_s: float = 0.25
    min_silence_s: float = 0.1
    pad_s: float = 0.03

    def check(self) -> None:
        """Raise Invalid for rules that make no sense."""
        if not 0 < self.threshold < 1:
            raise Invalid(f"--threshold lies between 0 and 1, not at {self.threshold}")
        for name, value in (("speech", self.min_speech_s), ("silence", self.min_silence_s), ("pad", self.pad_s)):
            if not 0 <= value <= _LONGEST_S:
                option = f"--{'' if name == 'pad' else 'min-'}{name}"
                raise Invalid(f"{option} lies between 0 and {_LONGEST_S:.0f} s, not at {value}")


@dataclass(frozen=True, slots=True)
class Stretch:
    """Speech from one sample to another, with the mean of its probabilities."""

    start: int
    end: int
    probability: float = 1.0


@dataclass(slots=True)
class Finder:
    """Takes probabilities as they come and gives stretches as soon as they are sure."""

    rules: Rules
    rate: int
    frame: int
    at: int = 0
    begun: int | None = None
    _quiet_since: int | None = None
    _chances: list[float] = field(default_factory=list)
    _held: Stretch | None = None
    _last_end: int = 0

    @property
    def open_start(self) -> int | None:
        """Where the speech began that goes on still, widened; None in silence."""
        return None if self.begun is None else self._padded_start(self.begun)

    @property
    def earliest(self) -> int | None:
        """Where the first speech begins that was not given yet, widened; None in silence."""
        return self._padded_start(self._held.start) if self._held is not None else self.open_start

    def feed(self, chances: Iterable[float]) -> Iterator[Stretch]:
        """Take the probabilities of the next frames."""
        for chance in chances:
            yield from self._frame(float(chance))

    def finish(self, total: int) -> Iterator[Stretch]:
        """Take the end of the sound, `total` samples long."""
        if self.begun is not None:
            yield from self._close(min(total, self.at))
        if self._held is not None:
            yield self._widened(self._held, min(total, self._held.end + self._samples(self.rules.pad_s)))
            self._held = None

    def _frame(self, chance: float) -> Iterator[Stretch]:
        start, self.at = self.at, self.at + self.frame
        if chance >= self.rules.threshold:
            self._quiet_since = None
            if self.begun is None:
                self.begun, self._chances = start, []
        elif self.begun is not None and chance < max(self.rules.threshold - _HYSTERESIS, _LEAST):
            self._quiet_since = start if self._quiet_since is None else self._quiet_since
            if self.at - self._quiet_since >= self._samples(self.rules.min_silence_s):
                yield from self._close(self._quiet_since)
        if self.begun is not None:
            self._chances.append(chance)
        if (
            self._held is not None
            and self.begun is None
            and start - self._held.end >= 2 * self._samples(self.rules.pad_s)
        ):
            yield self._widened(self._held, self._held.end + self._samples(self.rules.pad_s))
            self._held = None

    def _close(self, end: int) -> Iterator[Stretch]:
        assert self.begun is not None
        start, self.begun, self._quiet_since = self.begun, None, None
        if end - start <= self._samples(self.rules.min_speech_s):
            return
        count = max(1, (end - start) // self.frame)
        mean = sum(self._chances[:count]) / max(1, len(self._chances[:count]))
        if self._held is not None:
            # Between two stretches that are nearer than twice the padding, each gets half of the silence.
            yield self._widened(
                self._held, min(self._held.end + self._samples(self.rules.pad_s), (self._held.end + start) // 2)
            )
        self._held = Stretch(start, end, mean)

    def _widened(self, stretch: Stretch, end: int) -> Stretch:
        start = self._padded_start(stretch.start)
        self._last_end = end
        return Stretch(start, end, stretch.probability)

    def _padded_start(self, start: int) -> int:
        return max(self._last_end, start - self._samples(self.rules.pad_s), 0)

    def _samples(self, seconds: float) -> int:
        return int(seconds * self.rate)
