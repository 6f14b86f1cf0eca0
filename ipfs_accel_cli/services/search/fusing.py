"""Two rankings as one: reciprocal rank fusion, which needs no scores that can be compared and nothing to tune.

Cormack, Clarke and Buettcher 2009, "Reciprocal rank fusion outperforms Condorcet and individual rank learning methods".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ipfs_accel_cli.services.search.matching import Scored

K = 60
DEPTH = 100


@dataclass(frozen=True, slots=True)
class Fused:
    """A document with its place and score in each of the rankings that have it, and what they give together."""

    best: Scored
    score: float
    text: tuple[int, float] | None = None
    vector: tuple[int, float] | None = None


def fused(text: Sequence[Scored], vector: Sequence[Scored]) -> list[Fused]:
    """Return both rankings as one; the better of two that are equal is the one whose CID is smaller."""
    best = {one.document: one for one in (*vector, *text)}
    by_text = {one.document: (rank, one.score) for rank, one in enumerate(text, 1)}
    by_vector = {one.document: (rank, one.score) for rank, one in enumerate(vector, 1)}
    found = []
    for document, one in best.items():
        sides = by_text.get(document), by_vector.get(document)
        found.append(Fused(one, sum(1 / (K + side[0]) for side in sides if side), *sides))
    return sorted(found, key=lambda one: (-one.score, one.best.cid))


def alone(ranking: Sequence[Scored], *, by: str) -> list[Fused]:
    """Return one ranking in the same form."""
    return [Fused(one, one.score, **{by: (rank, one.score)}) for rank, one in enumerate(ranking, 1)]
