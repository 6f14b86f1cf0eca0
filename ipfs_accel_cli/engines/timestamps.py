"""Whisper's tokens into segments: every timestamp token stands for 20 ms more than the one before it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

STEP_S = 0.02
# A rest so short holds no word.
_REST_S = 0.5


@dataclass(frozen=True, slots=True)
class Span:
    """Tokens of text between two timestamps, in seconds from the beginning of the window."""

    tokens: tuple[int, ...]
    start_s: float
    end_s: float


def spans(tokens: Sequence[int], first: int, seconds: float, *, ended: bool) -> tuple[list[Span], bool]:
    """Return the spans of what was written for a window, and whether they are all of it.

    `first` is the token of 0 s; no end-of-text token is among `tokens`; `ended` says that it came. A span that was
    begun and not closed ends with the window if the model ended there; else it is left out, to be heard again. That
    is not done when it would be all there is, for then nothing would be gained.
    """
    found: list[Span] = []
    held: list[int] = []
    start = last = 0.0
    for token in tokens:
        if token < first:
            held.append(token)
            continue
        at = min(seconds, (token - first) * STEP_S)
        if held:
            found.append(Span(tuple(held), start, max(start, at)))
            held = []
        start = last = at
    if held and (ended or not found):
        found.append(Span(tuple(held), start, seconds))
        return found, ended
    # Two timestamps at the end begin a segment that was not written: more is spoken after them.
    begun = len(tokens) > 1 and tokens[-1] >= first and tokens[-2] >= first and last < seconds - _REST_S
    return found, ended and not (found and begun)


def word_end(span: Span, start_s: float, end_s: float) -> float:
    """Return where a word of a span ends: what follows its last one until the next is silence, and none of it."""
    return round(min(end_s, span.end_s), 3) if start_s < span.end_s else end_s


def plain(tokens: Sequence[int], first: int, decode: Callable[[Sequence[int]], str]) -> str:
    """Return the text of tokens without timestamps among them."""
    return decode([token for token in tokens if token < first]).strip()
