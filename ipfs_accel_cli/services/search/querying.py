"""One query from its words to a page of hits: read, mended where it finds nothing, filtered, ranked, fused and cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.core.fields import Kind, not_there
from ipfs_accel_cli.services.search import asking, cursors, filtering, fusing, matching, showing
from ipfs_accel_cli.services.search.asking import Query
from ipfs_accel_cli.services.search.cursors import Cursor
from ipfs_accel_cli.services.search.filtering import ALL, Condition
from ipfs_accel_cli.services.search.fusing import DEPTH, Fused
from ipfs_accel_cli.services.search.index import Index
from ipfs_accel_cli.services.search.matching import Scored
from ipfs_accel_cli.services.search.results import Facet, Found, Mode
from ipfs_accel_cli.services.search.spelling import Speller
from ipfs_accel_cli.services.search.vectors import Vectors

MOST = 1000


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks for; `mode` None is hybrid where there are vectors, else text."""

    text: str = ""
    mode: Mode | None = None
    where: str | None = None
    tags: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    sort: str | None = None
    limit: int = 10
    cursor: str | None = None
    every: bool = False
    explain: bool = False
    facets: tuple[str, ...] = ()
    model: str | None = None

    def identity(self) -> str:
        """Return what tells this query from others, whatever the page."""
        return cursors.of_query(
            self.text, self.mode, self.where, self.tags, self.kinds, self.sort, self.every, self.model
        )


@dataclass(frozen=True, slots=True)
class Prepared:
    """A query that was read."""

    query: Query
    condition: Condition
    filter: str
    expression: str
    read_as: str
    phrases: tuple[str, ...] = ()


@dataclass(slots=True)
class Querying:
    """Answers queries from one index."""

    index: Index
    vectors: Vectors
    _speller: Speller | None = field(default=None)

    def ask(self, asked: Asked, behind: int) -> Found:
        """Return a page of what fits best; raises Invalid for a filter, order, mode or cursor that makes no sense."""
        if not 1 <= asked.limit <= MOST:
            raise Invalid(f"--limit is a number from 1 to {MOST}")
        cursor = cursors.read(asked.cursor, asked.identity())
        prepared = self.prepare(asked)
        mode, note = self._mode(asked, prepared)
        found = self._ranked(asked, prepared, mode, cursor)
        page, more = found[: asked.limit], len(found) > asked.limit
        shown = cursor.after([one.best.cid for one in page])
        first = len(cursor.shown) + 1
        hits = showing.hits(self.index, page, first, prepared.query, prepared.expression, explain=asked.explain)
        return Found(
            query=asked.text,
            mode=mode,
            filter=prepared.filter,
            read_as=prepared.read_as,
            note=note,
            total=self._total(prepared, mode),
            behind=behind,
            hits=hits,
            facets=self._facets(asked, prepared, mode),
            expression=prepared.expression if asked.explain else None,
            cursor=shown.written() if more else None,
        )

    def prepare(self, asked: Asked) -> Prepared:
        """Read the words and the filter of a query; words that nothing has become those that are near."""
        condition, shown = self._condition(asked)
        query, instead = self._mended(asking.read(asked.text))
        if query.without:
            condition = matching.without(query.unwanted()) & condition
        read_as = "; ".join(f"{word}: {', '.join(words)}" for word, words in instead.items())
        phrases = () if asked.every else query.alternatives()
        return Prepared(query, condition, shown, query.expression(every=asked.every), read_as, phrases)

    def _condition(self, asked: Asked) -> tuple[Condition, str]:
        known = filtering.fields(self.index)
        parts: list[tuple[Condition, str]] = []
        for name, values in (("tag", asked.tags), ("kind", asked.kinds)):
            for value in values:
                one = filtering.equal(known[name], name, value)
                parts.append((filtering.compiled(one), str(one)))
        if asked.where:
            node = filtering.parse(asked.where, known)
            parts.append((filtering.compiled(node), f"({node})" if parts and " OR " in str(node) else str(node)))
        if not parts:
            return ALL, ""
        condition = parts[0][0]
        for other, _ in parts[1:]:
            condition = condition & other
        return condition, " AND ".join(text for _, text in parts)

    def _mended(self, query: Query) -> tuple[Query, dict[str, tuple[str, ...]]]:
        instead: dict[str, tuple[str, ...]] = {}
        terms = []
        for term in query.terms:
            if not term.phrase and not term.prefix and not matching.matches(self.index, term.expression()):
                self._speller = self._speller or Speller(self.index)
                near = self._speller.near(term.text)
                if near:
                    instead[term.text] = near
                    term = term.read_as(near)
            terms.append(term)
        return replace(query, terms=tuple(terms)), instead

    def _mode(self, asked: Asked, prepared: Prepared) -> tuple[Mode, str]:
        if not prepared.query.terms or asked.sort is not None:
            if asked.mode in ("vector", "hybrid") and not prepared.query.terms:
                raise Invalid("there are no words to compare by meaning")
            return "text", ""
        if asked.mode == "text":
            return "text", ""
        space = self.vectors.space()
        if space is None:
            if asked.mode is not None:
                self.vectors.missing()
            return "text", ""
        lacking = self.vectors.lacking()
        note = f"{lacking} chunks have no vector yet (ipfs-accel search index embed)" if lacking else ""
        return asked.mode or "hybrid", note

    def _ranked(self, asked: Asked, prepared: Prepared, mode: Mode, cursor: Cursor) -> list[Fused]:
        """Return what was not shown yet, one more than asked for where there is more."""
        wanted = len(cursor.shown) + asked.limit + 1
        if not prepared.query.terms or asked.sort is not None:
            found = fusing.alone(self._listed(asked, prepared, wanted), by="text")
            found = [replace(one, score=0.0) for one in found]
        elif mode == "text":
            found = fusing.alone(self._words(prepared, wanted), by="text")
        else:
            deep = max(DEPTH, wanted)
            near = self.vectors.nearest(prepared.query.plain(), prepared.condition, deep, asked.model)
            if mode == "vector":
                found = fusing.alone(near, by="vector")
            else:
                found = fusing.fused(self._words(prepared, deep)[:deep], near[:deep])
        return [one for one in found if not cursor.has(one.best.cid)][: asked.limit + 1]

    def _words(self, prepared: Prepared, wanted: int) -> list[Scored]:
        return matching.best(self.index, prepared.expression, prepared.condition, wanted, prepared.phrases)

    def _listed(self, asked: Asked, prepared: Prepared, wanted: int) -> list[Scored]:
        condition = prepared.condition
        if prepared.query.terms:
            condition = matching.among(prepared.expression, condition)
        order, values = self._order(asked.sort or "-added_at")
        query = f"SELECT id, cid FROM documents WHERE {condition.sql} ORDER BY {order}, cid LIMIT ?"
        rows = self.index.rows(query, (*condition.values, *values, wanted))
        return [Scored(row["id"], row["id"] << 10, 0.0, row["cid"]) for row in rows]

    def _order(self, sort: str) -> tuple[str, tuple[object, ...]]:
        known = filtering.fields(self.index)
        parts: list[str] = []
        values: list[object] = []
        for key in filter(None, (key.strip() for key in sort.split(","))):
            name = key.lstrip("-").lower()
            if name not in known:
                told, near = not_there("field", name, known, " to sort by")
                raise Invalid(told, near=near)
            one, down = known[name], " DESC" if key.startswith("-") else ""
            if not one.many:
                column = f"documents.{one.attribute}"
                folded = f"fold({column})" if one.attribute == "title" else column
                parts.append(f"{column} IS NULL, {folded}{down}" if one.attribute == "problem" else folded + down)
                continue
            what = "key" if one.kind is Kind.TEXT else "number"
            inner = f"(SELECT min({what}) FROM facts WHERE document = documents.id AND name = ?)"
            if one.attribute in ("path", "root"):
                raise Invalid(f"a document may have several values of {name!r}, so they give no order")
            parts += [f"{inner} IS NULL", inner + down]
            values += [one.attribute, one.attribute]
        if not parts:
            raise Invalid("--sort names no field")
        return ", ".join(parts), tuple(values)

    def _among(self, prepared: Prepared, mode: Mode) -> Condition:
        by_words = prepared.query.terms and mode != "vector"
        return matching.among(prepared.expression, prepared.condition) if by_words else prepared.condition

    def _total(self, prepared: Prepared, mode: Mode) -> int | None:
        if mode != "text":
            return None
        if prepared.query.terms:
            return matching.count(self.index, prepared.expression, prepared.condition)
        where, values = prepared.condition.sql, prepared.condition.values
        return int(self.index.rows(f"SELECT count(*) FROM documents WHERE {where}", values)[0][0])

    def _facets(self, asked: Asked, prepared: Prepared, mode: Mode) -> list[Facet]:
        names: Sequence[str] = asked.facets
        if not names:
            return []
        known = filtering.fields(self.index)
        for name in names:
            if name not in known:
                told, near = not_there("field", name, known, " to count by")
                raise Invalid(told, near=near)
        condition = self._among(prepared, mode)
        return showing.facets(self.index, condition.sql, condition.values, [known[name].attribute for name in names])
