"""Passing over what cannot be among the best: frequent words alone, where rarer ones are asked for, too.

BM25 gives a phrase less than `idf * (K1 + 1)`, however often a document has it. Where as many documents as are wanted
have a rarer phrase and score more than all frequent ones together could, nothing that has only these is among them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ipfs_accel_cli.services.search.index import Index

# FTS5's own, see `bm25()` in its documentation.
_K1 = 1.2
_LEAST_IDF = 1e-6
_MOST_PHRASES = 8
# What the rarest phrase may be hoped to give the last that is wanted; only how often it is tried hangs on this.
_HOPED = 1.5
# Scores are summed in another order, which the last digits show.
DECIMALS = 9


@dataclass(frozen=True, slots=True)
class Pruned:
    """An expression that only what has a rare phrase matches, with scores `times` as high; others are below `bound`."""

    expression: str
    times: float
    bound: float


def pruned(index: Index, phrases: Sequence[str], wanted: int) -> Pruned | None:
    """Return what to look for instead of any of some phrases; None where that would save nothing."""
    if not 2 <= len(phrases) <= _MOST_PHRASES:
        return None
    (total,) = index.rows("SELECT count(*) FROM words_docsize")[0]
    counted = sorted((_count(index, phrase), phrase) for phrase in phrases)
    most = [_idf(total, count) * (_K1 + 1) for count, _ in counted]
    everything = sum(count for count, _ in counted)
    rare = 0
    for split, (count, _) in enumerate(counted[:-1], 1):
        rare += count
        bound = sum(most[split:])
        if wanted <= rare < everything / 2 and bound < _HOPED * most[0] / (_K1 + 1):
            return Pruned(_expression([phrase for _, phrase in counted], split), 2.0, bound)
    return None


def _expression(phrases: Sequence[str], split: int) -> str:
    """Return what asks for one of the rare phrases, and names each phrase twice, so that all weigh the same."""
    rare, frequent = " OR ".join(phrases[:split]), " OR ".join(phrases[split:])
    return f"({rare}) AND ({rare} OR {frequent} OR {frequent})"


def _count(index: Index, phrase: str) -> int:
    return int(index.rows("SELECT count(*) FROM words WHERE words MATCH ?", (phrase,))[0][0])


def _idf(total: int, count: int) -> float:
    found = math.log((total - count + 0.5) / (count + 0.5))
    return found if found > 0 else _LEAST_IDF
