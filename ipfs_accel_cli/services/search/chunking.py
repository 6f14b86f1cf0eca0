"""Long texts in parts that overlap a little, cut where a reader would pause."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

# Some 300 words, as much as small encoders take in at once.
TARGET_CHARS = 1500
OVERLAP_CHARS = 200
# Places to cut, the best first. Full stops of Chinese and Japanese have no space after them.
_PAUSES = (
    re.compile(r"\n[ \t]*\n\s*"),
    re.compile(r"\n"),
    re.compile(r"[.!?…][\"'”’)\]]*\s+|[。!?！？]"),
    re.compile(r"[,;:、，]\s*"),
    re.compile(r"\s+"),
)
# How many characters before the end of a chunk are looked at first, and then.
_NEAR, _FAR = 80, 320


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of a text: `text` is what lies from `start` on, and `heading` the one it stands under."""

    text: str
    start: int
    heading: str = ""

    @property
    def end(self) -> int:
        """Where it ends in the whole text."""
        return self.start + len(self.text)


def chunks(
    text: str, headings: Sequence[str] = (), *, target: int = TARGET_CHARS, overlap: int = OVERLAP_CHARS
) -> list[Chunk]:
    """Cut a text into chunks of at most `target` characters, at the end of a paragraph, line, sentence, clause or word.

    Each begins up to `overlap` characters before the end of the one before it, so that a sentence across a border is
    whole in one of them. `headings` are lines of the text in their order; a chunk carries the last one that begins
    before its end of the overlap. Every character lies in a chunk; texts of blanks have none.
    """
    if not text.strip():
        return []
    if len(text) <= target and not headings:
        return [Chunk(text, 0)]
    places = list(_places(text, headings))
    found: list[Chunk] = []
    start = 0
    while True:
        end = len(text) if len(text) - start <= target else _cut(text, start + max(1, target // 2), start + target)
        above = bisect_right(places, start + overlap, key=lambda place: place[0])
        found.append(Chunk(text[start:end], start, places[above - 1][1] if above else ""))
        if end == len(text):
            return found
        # Forward by half a target at least, whatever the overlap.
        start = max(_after(text, end - min(overlap, target // 4), end), start + 1)


def _cut(text: str, low: int, high: int) -> int:
    """Return the best place to end a chunk between two offsets, as late as can be."""
    for pause in _PAUSES:
        # The last one is wanted, and most texts pause often: near the end first, then further from it.
        for start in (high - _NEAR, high - _FAR, low - 1):
            found = pause.finditer(text, max(start, low - 1, 0), high)
            last = max((match.end() for match in found if low < match.end()), default=0)
            if last:
                return last
            if start <= low:
                break
    return high


def _after(text: str, low: int, high: int) -> int:
    """Return where a chunk begins that repeats some of the one before: at a sentence, else a word, else at its end."""
    for pause in (_PAUSES[2], _PAUSES[4]):
        found = pause.finditer(text, max(0, low - 1), high)
        start = next((match.end() for match in found if low < match.end() < high), None)
        if start is not None:
            return start
    return high


def _places(text: str, headings: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Yield where headings stand that are a line of their own; the others are left out."""
    wanted = frozenset(headings) - {""}
    at = 0
    for line in text.split("\n") if wanted else ():
        plain = " ".join(line.strip("# \t").split())
        if plain in wanted:
            yield at, plain
        at += len(line) + 1
