"""Long texts in windows of tokens that share some with their neighbours, each token with its place in the text."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy
from numpy.typing import NDArray

from ipfs_accel_cli.core.errors import Invalid, UnsupportedContent

Offsets = NDArray[numpy.int64]
_ATTRIBUTES = {"input_ids": "ids", "token_type_ids": "type_ids"}


@dataclass(frozen=True, slots=True)
class Window:
    """A part of the text at `position`: its tokens `first` up to `last`, which stand from `begin` on in `features`.

    `number` counts the windows of a text, `features` are the rows of each input, with what the model wants around it.
    """

    position: int
    number: int
    features: Mapping[str, list[int]]
    first: int
    last: int
    begin: int


@dataclass(frozen=True, slots=True)
class Read:
    """A text as a model reads it: ids, tokens and offsets (tokens, 2) in characters, and the windows over them."""

    ids: Sequence[int]
    tokens: Sequence[str]
    offsets: Offsets
    windows: tuple[Window, ...]

    def best_window(self, token: int) -> int:
        """Return the window in which a token is farthest from the edges, where the model sees most around it."""
        last = bisect_right(self.windows, token, key=lambda one: one.first) - 1
        # Windows share half of their tokens at most: three can meet in one token.
        inside = [at for at in range(max(0, last - 2), last + 1) if token < self.windows[at].last]
        return max(inside, key=lambda at: min(token - self.windows[at].first, self.windows[at].last - 1 - token))


def read(
    tokenizer: Any,
    texts: Sequence[str],
    heads: Sequence[str] | None,
    inputs: Sequence[str],
    limit: int | None,
    share: int,
) -> list[Read]:
    """Tokenize texts, each behind its head when there are heads, such as questions, and lay windows over them.

    A window has at most `limit` tokens with all that is around it, and shares `share` of them with the next, or fewer
    where that is more than half of it. Raises Invalid for a head that leaves no room, UnsupportedContent for a
    tokenizer that does not say where tokens are.
    """
    encoded = tokenizer(list(texts)) if heads is None else tokenizer(list(heads), list(texts))
    if not encoded.encodings:
        raise UnsupportedContent("the model's tokenizer does not say where in a text its tokens are")
    sequence = 0 if heads is None else 1
    return [_read(at, one, sequence, inputs, limit, share) for at, one in enumerate(encoded.encodings)]


def _read(position: int, encoding: Any, sequence: int, inputs: Sequence[str], limit: int | None, share: int) -> Read:
    inside = [at for at, one in enumerate(encoding.sequence_ids) if one == sequence]
    begin, end = (inside[0], inside[-1] + 1) if inside else (len(encoding.ids), len(encoding.ids))
    around = len(encoding.ids) - (end - begin)
    room = end - begin if limit is None else limit - around
    if limit is not None and room < min(8, max(1, end - begin)):
        raise Invalid(f"what is asked takes {around} tokens of the {limit} that the model reads at once")
    rows = {key: getattr(encoding, _ATTRIBUTES[key]) for key in inputs}
    stride = max(1, room - min(share, room // 2))
    windows: list[Window] = []
    for first in range(0, max(1, end - begin), stride):
        last = min(first + room, end - begin)
        part = {key: [*row[:begin], *row[begin + first : begin + last], *row[end:]] for key, row in rows.items()}
        windows.append(Window(position, len(windows), part, first, last, begin))
        if last == end - begin:
            break
    offsets = numpy.array(encoding.offsets[begin:end], dtype=numpy.int64).reshape(-1, 2)
    return Read(encoding.ids[begin:end], encoding.tokens[begin:end], offsets, tuple(windows))
