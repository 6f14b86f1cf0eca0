"""From scores of beginnings and ends to the likeliest parts of a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy
from numpy.typing import NDArray

from ipfs_accel_cli.engines.exchange.text import Found, Span

# So many candidates of a window are looked at; the others cannot be among the few that are wanted.
_CANDIDATES = 64


@dataclass(frozen=True, slots=True)
class Reading:
    """What a model said of one window: `logits`, (1 + tokens, 2), of being the beginning and the end of the answer.

    The first row is that of no answer; the others are for the tokens of the context from `first` on.
    """

    first: int
    logits: NDArray[numpy.float32]


def best_spans(windows: Sequence[Reading], offsets: NDArray[numpy.int64], top: int, longest: int) -> Found:
    """Return the `top` likeliest spans that do not overlap, none longer than `longest` tokens, over all windows.

    `offsets`, (tokens, 2), are the places of the context's tokens in characters. A span's score is its share among all
    spans of all windows and no answer; that is judged by the window that finds it least likely, as in SQuAD 2.
    """
    nothing = min(float(one.logits[0].sum()) for one in windows)
    found: dict[tuple[int, int], float] = {}
    sums = [nothing]
    for window in windows:
        scores = _span_logits(window.logits[1:], longest)
        if scores.size == 0:
            continue
        flat = scores[numpy.isfinite(scores)]
        sums.append(float(flat.max() + numpy.log(numpy.exp(flat - flat.max()).sum())))
        for at in numpy.argsort(-scores, axis=None, kind="stable")[:_CANDIDATES].tolist():
            start, length = divmod(at, scores.shape[1])
            if numpy.isfinite(scores[start, length]):
                key = (window.first + start, window.first + start + length)
                found[key] = max(found.get(key, -numpy.inf), float(scores[start, length]))
    whole = max(sums) + float(numpy.log(numpy.exp(numpy.array(sums) - max(sums)).sum()))
    spans: list[Span] = []
    taken: list[tuple[int, int]] = []
    for (first, last), logit in sorted(found.items(), key=lambda one: (-one[1], one[0])):
        if any(first <= other_last and other_first <= last for other_first, other_last in taken):
            continue
        taken.append((first, last))
        score = float(numpy.exp(logit - whole))
        spans.append(Span(int(offsets[first, 0]), int(offsets[last, 1]), score))
        if len(spans) == top:
            break
    return Found(tuple(spans), float(numpy.exp(nothing - whole)), len(windows))


def _span_logits(logits: NDArray[numpy.float32], longest: int) -> NDArray[numpy.float64]:
    """Return (tokens, lengths): the logit of the span that begins at a token and has so many more tokens."""
    begins, ends = logits[:, 0].astype(numpy.float64), logits[:, 1].astype(numpy.float64)
    count = len(begins)
    lengths = min(longest, count)
    scores = numpy.full((count, lengths), -numpy.inf)
    for length in range(lengths):
        scores[: count - length, length] = begins[: count - length] + ends[length:]
    return scores
