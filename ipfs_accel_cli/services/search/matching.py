"""Finding by words: what SQLite's full-text index ranks, a document for the best of its chunks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ipfs_accel_cli.services.search.filtering import ALL, Condition
from ipfs_accel_cli.services.search.index import Index
from ipfs_accel_cli.services.search.pruning import DECIMALS, pruned
from ipfs_accel_cli.services.search.schema import CHUNK_BITS

_FIRST_LOOK = 24


@dataclass(frozen=True, slots=True)
class Scored:
    """A document, its best chunk, and how good that is; more is better."""

    document: int
    chunk: int
    score: float
    cid: str


def best(index: Index, expression: str, condition: Condition, wanted: int, phrases: Sequence[str] = ()) -> list[Scored]:
    """Return the best documents for an expression, at least `wanted` where there are so many.

    Those that are equally good are ordered by CID, so that their order does not hang on when they came: so all that
    are as good as the last one are returned. `phrases` are what the expression asks for where any of them will do.
    """
    fewer = pruned(index, phrases, wanted)
    if fewer is not None:
        found = _best(index, fewer.expression, condition, wanted, fewer.times)
        if len(found) >= wanted and least_wanted([one.score for one in found], wanted) > fewer.bound:
            return found
    return _best(index, expression, condition, wanted, 1.0)


def _best(index: Index, expression: str, condition: Condition, wanted: int, times: float) -> list[Scored]:
    look = max(_FIRST_LOOK, 2 * wanted)
    while True:
        chunks = [
            (chunk, round(-rank / times, DECIMALS)) for chunk, rank in _chunks(index, expression, condition, look)
        ]
        found: dict[int, tuple[int, float]] = {}
        for chunk, score in chunks:
            found.setdefault(chunk >> CHUNK_BITS, (chunk, score))
        least = least_wanted([score for _, score in found.values()], wanted)
        if len(chunks) < look or (len(found) >= wanted and least > chunks[-1][1]):
            return with_cids(index, {number: one for number, one in found.items() if one[1] >= least})
        look *= 4


def least_wanted(scores: Sequence[float], wanted: int) -> float:
    """Return the score of the last that is wanted of an ordered list; the lowest where there are fewer."""
    return scores[min(wanted, len(scores)) - 1] if scores else 0.0


def count(index: Index, expression: str, condition: Condition) -> int:
    """Return how many documents match."""
    query = f"SELECT count(DISTINCT rowid >> {CHUNK_BITS}) FROM words WHERE words MATCH ?{_and(condition)}"
    return int(index.rows(query, (expression, *condition.values))[0][0])


def matches(index: Index, expression: str) -> bool:
    """Say whether anything matches."""
    return bool(index.rows("SELECT 1 FROM words WHERE words MATCH ? LIMIT 1", (expression,)))


def among(expression: str, condition: Condition) -> Condition:
    """Return the condition that a document matches an expression, too."""
    matching = f"documents.id IN (SELECT rowid >> {CHUNK_BITS} FROM words WHERE words MATCH ?)"
    return Condition(matching, (expression,)) & condition


def without(expression: str) -> Condition:
    """Return the condition that nothing of a document matches an expression."""
    matching = f"documents.id NOT IN (SELECT rowid >> {CHUNK_BITS} FROM words WHERE words MATCH ?)"
    return Condition(matching, (expression,))


def with_cids(index: Index, found: dict[int, tuple[int, float]]) -> list[Scored]:
    """Return scored documents with their CIDs, the best first."""
    cids = cids_of(index, list(found))
    scored = [Scored(number, chunk, score, cids[number]) for number, (chunk, score) in found.items() if number in cids]
    order: Callable[[Scored], tuple[float, str]] = lambda one: (-one.score, one.cid)  # noqa: E731
    return sorted(scored, key=order)


def cids_of(index: Index, documents: list[int]) -> dict[int, str]:
    """Return the CIDs of documents by their numbers."""
    found: dict[int, str] = {}
    for at in range(0, len(documents), 500):
        part = documents[at : at + 500]
        marks = ", ".join("?" * len(part))
        found |= {
            row["id"]: row["cid"] for row in index.rows(f"SELECT id, cid FROM documents WHERE id IN ({marks})", part)
        }
    return found


def _chunks(index: Index, expression: str, condition: Condition, limit: int) -> list[tuple[int, float]]:
    # With the plus SQLite keeps the best as it goes, where FTS5 by itself would sort all that match.
    query = f"SELECT rowid, rank FROM words WHERE words MATCH ?{_and(condition)} ORDER BY +rank LIMIT ?"
    return [(row[0], row[1]) for row in index.rows(query, (expression, *condition.values, limit))]


def _and(condition: Condition) -> str:
    if condition == ALL:
        return ""
    return f" AND rowid >> {CHUNK_BITS} IN (SELECT id FROM documents WHERE {condition.sql})"
