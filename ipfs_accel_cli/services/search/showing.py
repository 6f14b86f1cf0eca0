"""Documents as hits: where they are kept, their tags, and the text around what was found."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ipfs_accel_cli.services.search.asking import Query, Term
from ipfs_accel_cli.services.search.fusing import Fused
from ipfs_accel_cli.services.search.index import Index, tags_of
from ipfs_accel_cli.services.search.results import Explained, Facet, Hit
from ipfs_accel_cli.services.search.words import unspaced

MARK = "**"
_WORDS = 24
_AROUND = 80
_MOST_PATHS = 5
_SHORT = 3  # "cat" is not found in "category", "migrat" is in "migration".


def hits(
    index: Index, found: Sequence[Fused], first: int, query: Query, expression: str, *, explain: bool
) -> list[Hit]:
    """Return the documents of one page."""
    return [
        _hit(index, one, first + place, query, expression if one.text else "", explain=explain)
        for place, one in enumerate(found)
    ]


def facets(index: Index, condition: str, values: Sequence[object], names: Sequence[str], most: int = 10) -> list[Facet]:
    """Count the values of facts among the documents that fit a condition, the most frequent first."""
    found: list[Facet] = []
    chosen = f"WITH hit AS MATERIALIZED (SELECT id FROM documents WHERE {condition})"
    for name in names:
        if name == "kind":
            query = f"{chosen} SELECT kind AS value, count(*) AS n FROM hit JOIN documents USING (id) GROUP BY kind"
            rows = index.rows(f"{query} ORDER BY n DESC, value LIMIT ?", (*values, most))
        else:
            query = (
                f"{chosen} SELECT min(value) AS value, count(*) AS n FROM hit JOIN facts ON document = id"
                " WHERE name = ? GROUP BY key ORDER BY n DESC, key LIMIT ?"
            )
            rows = index.rows(query, (*values, name, most))
        found += [Facet(name=name, value=row["value"], documents=row["n"]) for row in rows]
    return found


def _hit(index: Index, one: Fused, rank: int, query: Query, expression: str, *, explain: bool) -> Hit:
    number = one.best.document
    row = index.rows("SELECT * FROM documents WHERE id = ?", (number,))[0]
    kept = index.rows(
        "SELECT root, path FROM members WHERE document = ? ORDER BY root, path LIMIT ?", (number, _MOST_PATHS)
    )
    explained = None
    if explain:
        text, vector = one.text or (None, None), one.vector or (None, None)
        explained = Explained(text_rank=text[0], text_score=text[1], vector_rank=vector[0], vector_score=vector[1])
    return Hit(
        rank=rank,
        cid=row["cid"],
        kind=row["kind"],
        title=row["title"],
        paths=[f"{member['root']}/{member['path']}".rstrip("/") for member in kept],
        size_bytes=row["size_bytes"],
        added_at=row["added_at"],
        tags=tags_of(index.connection(), number),
        score=one.score,
        snippet=_snippet(index, one.best.chunk, query, expression),
        explain=explained,
    )


def _snippet(index: Index, chunk: int, query: Query, expression: str) -> str:
    if expression:
        # The body first: what was found in a title stands there for all to see.
        made = (
            f"SELECT snippet(words, 1, '{MARK}', '{MARK}', '…', {_WORDS}) FROM words WHERE words MATCH ? AND rowid = ?"
        )
        rows = index.rows(made, (expression, chunk))
        if rows and MARK in rows[0][0]:
            return _flat(rows[0][0])
    rows = index.rows("SELECT body FROM chunks WHERE id = ?", (chunk,))
    return _around(rows[0]["body"], query) if rows else ""


def _around(body: str, query: Query) -> str:
    """Return the text around the first word of the query that stands within it, else its beginning."""
    words = [_whole(term) for term in query.terms if term.text]
    found = re.search("|".join(words), body, re.IGNORECASE) if words else None
    if found is None:
        return _flat(body[: 2 * _AROUND]) + ("…" if len(body) > 2 * _AROUND else "")
    start, end = max(0, found.start() - _AROUND), found.end() + _AROUND
    marked = f"{body[start : found.start()]}{MARK}{found[0]}{MARK}{body[found.end() : end]}"
    return f"{'…' if start else ''}{_flat(marked)}{'…' if end < len(body) else ''}"


def _whole(term: Term) -> str:
    """Return what finds a term where a word begins; a short one is all of the word."""
    if unspaced(term.text):
        return re.escape(term.text)
    ends = "" if term.prefix or len(term.text) > _SHORT else r"(?!\w)"
    return rf"(?<!\w){re.escape(term.text)}{ends}"


def _flat(text: str) -> str:
    return " ".join(text.split())
