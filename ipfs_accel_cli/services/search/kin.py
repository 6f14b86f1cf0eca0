"""Kinship: what is like something else, in meaning, in its words or to the eye, and what is there twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Invalid, NotFound, UnsupportedContent
from ipfs_accel_cli.services.search.filtering import ALL
from ipfs_accel_cli.services.search.index import Index, paths_of
from ipfs_accel_cli.services.search.kin_results import By, Copy, Duplicates, Group, Kin, Similar
from ipfs_accel_cli.services.search.sketches import (
    Pair,
    distance,
    groups,
    likeness,
    near_pictures,
    near_texts,
)
from ipfs_accel_cli.services.search.sketching import TEXT
from ipfs_accel_cli.services.search.supply import Beside
from ipfs_accel_cli.services.search.tensors import Sharing, TensorBook
from ipfs_accel_cli.services.search.vectors import Vectors

MOST = 1000
_PICTURE = "perceptual_hash"
_DECIMALS = 4
# Texts and pictures that have less in common are not called alike; of meaning, only the order tells anything.
# Norms that were never trained, and positions, are the same in models that have nothing to do with each other.
_LEAST: dict[By, float] = {"meaning": -1.0, "text": 0.1, "picture": 1 - 16 / 64, "tensors": 0.01}


@dataclass(frozen=True, slots=True)
class Kinship:
    """Compares documents of the index with each other; only tensors are read, each once."""

    index: Index
    vectors: Vectors
    beside: Beside

    def similar(self, reference: str, limit: int = 10, *, tensors: bool = False) -> Similar:
        """Return what is most like a document: by its vectors, else by its picture or its words.

        With `tensors` it is a model, and its kin are those that have tensors in common with it. Raises NotFound for
        what is not in the index, and UnsupportedContent for what nothing is known of to compare.
        """
        if not 1 <= limit <= MOST:
            raise Invalid(f"--limit is from 1 to {MOST}")
        document, cid, title = self.document(reference)
        by, scored = self._by_tensors(cid) if tensors else self._scored(document, cid, limit)
        kept = [(number, score) for number, score in scored if number != document and score >= _LEAST[by]]
        found = sorted(kept, key=lambda one: (-one[1], one[0]))[:limit]
        rows = self._rows([number for number, _ in found])
        kin = [Kin(**dict(rows[number]), by=by, likeness=round(score, _DECIMALS)) for number, score in found]
        return Similar(cid=cid, title=title, by=by, kin=kin)

    def duplicates(self, kinds: Sequence[str] = (), least: float = 0.8, *, tensors: bool = False) -> Duplicates:
        """Return groups of what is there more than once: under several paths, as nearly the same text, or picture.

        With `tensors` all models are read, and pairs that have tensors in common are told. `least` is which share of
        their words texts must have in common. Raises Invalid beyond 0 to 1.
        """
        if not 0 < least <= 1:
            raise Invalid("--least is a share of words, above 0 and up to 1")
        # Reading models takes long, so not while older states of the index must be kept.
        shared = list(TensorBook(self.index, self.beside).pairs()) if tensors else []
        with self.index.reading():
            found = [
                *self._groups("same", self._paths()),
                *self._joined("text", near_texts(self._sketches(), least)),
                *self._joined("picture", near_pictures(self._pictures())),
                *self._sharing(shared),
            ]
        return Duplicates(
            groups=[group for group in found if not kinds or {one.kind for one in group.copies} & set(kinds)]
        )

    def document(self, reference: str) -> tuple[int, str, str]:
        """Return number, CID and title of a document; raises NotFound for what is not in the index."""
        queries = (
            ("cid = ?", reference),
            ("cid = ?", self._cid(reference)),
            ("kind = 'model' AND title = ? ORDER BY id DESC", reference),
        )
        for where, value in queries:
            rows = self.index.rows(f"SELECT id, cid, title FROM documents WHERE {where}", (value,))
            if rows:
                return int(rows[0]["id"]), str(rows[0]["cid"]), str(rows[0]["title"])
        raise NotFound(f"{reference} is not in the index", suggestion="ipfs-accel search index ls")

    def _by_tensors(self, cid: str) -> tuple[By, list[tuple[int, float]]]:
        """Return the models that have tensors in common with one, and which share of the smaller one that is."""
        rows = self.index.rows("SELECT id, cid, size_bytes FROM documents WHERE kind = 'model'")
        models = {row["cid"]: row for row in rows}
        if cid not in models:
            raise UnsupportedContent(f"{cid} is no model, so it has no tensors", suggestion="ipfs-accel model ls")
        found = []
        for pair in TensorBook(self.index, self.beside).beside_one(cid):
            if pair.other in models:
                smaller = min(models[one]["size_bytes"] for one in (cid, pair.other))
                found.append((int(models[pair.other]["id"]), pair.size_bytes / max(1, smaller)))
        return "tensors", found

    def _scored(self, document: int, cid: str, limit: int) -> tuple[By, list[tuple[int, float]]]:
        vector = self.vectors.of_document(document)
        if vector is not None:
            return "meaning", [(one.document, one.score) for one in self.vectors.near(vector, ALL, limit + 1)]
        pictures = self._pictures()
        if document in pictures:
            mine = pictures[document]
            return "picture", [(other, 1 - distance(mine, hashed) / 64) for other, hashed in pictures.items()]
        sketches = self._sketches()
        if document in sketches:
            sketch = sketches[document]
            return "text", [(other, likeness(sketch, theirs)) for other, theirs in sketches.items()]
        raise UnsupportedContent(
            f"{cid} has no vectors, is no picture, and has too few words to compare",
            suggestion="ipfs-accel search index embed",
        )

    def _cid(self, reference: str) -> str:
        """Return the CID that a path below another is; the text itself where it is none."""
        try:
            return self.beside.find(reference) if self.beside.find is not None else reference
        except (Invalid, NotFound):
            return reference

    def _sketches(self) -> dict[int, bytes]:
        rows = self.index.rows("SELECT document, value FROM sketches WHERE kind = ? ORDER BY document", (TEXT,))
        return {int(row["document"]): bytes(row["value"]) for row in rows}

    def _pictures(self) -> dict[int, int]:
        rows = self.index.rows("SELECT document, value FROM facts WHERE name = ? ORDER BY document", (_PICTURE,))
        return {int(row["document"]): int(row["value"], 16) for row in rows}

    def _paths(self) -> list[tuple[tuple[int, ...], float]]:
        query = "SELECT document FROM members GROUP BY document HAVING count(DISTINCT root || '/' || path) > 1"
        return [((int(row["document"]),), 1.0) for row in self.index.rows(query)]

    def _sharing(self, shared: Iterable[Sharing]) -> list[Group]:
        made = []
        for pair in shared:
            both = self.index.rows("SELECT id FROM documents WHERE cid IN (?, ?) ORDER BY cid", (pair.one, pair.other))
            copies = list(self._rows([int(row["id"]) for row in both]).values())
            if len(copies) < 2:
                continue
            share = pair.size_bytes / max(1, min(copy.size_bytes for copy in copies))
            if share >= _LEAST["tensors"]:
                score = round(share, _DECIMALS)
                made.append(Group(by="tensors", likeness=score, size_bytes=pair.size_bytes, copies=copies))
        return sorted(made, key=lambda one: (-one.size_bytes, one.copies[0].cid, one.copies[1].cid))

    def _joined(self, by: By, pairs: Sequence[Pair]) -> list[Group]:
        least: dict[int, float] = {}
        joined = groups(pairs)
        place = {member: number for number, members in enumerate(joined) for member in members}
        for pair in pairs:
            number = place[pair.one]
            least[number] = min(least.get(number, 1.0), pair.likeness)
        return self._groups(by, [(members, least[number]) for number, members in enumerate(joined)])

    def _groups(self, by: By, found: Iterable[tuple[tuple[int, ...], float]]) -> list[Group]:
        made = []
        for members, score in found:
            current().check()
            rows = self._rows(members)
            copies = [rows[number] for number in members if number in rows]
            size = sum(sorted(copy.size_bytes for copy in copies)[:-1])
            made.append(Group(by=by, likeness=round(score, _DECIMALS), size_bytes=size, copies=copies))
        return made

    def _rows(self, documents: Sequence[int]) -> dict[int, Copy]:
        found: dict[int, Copy] = {}
        for at in range(0, len(documents), 500):
            part = documents[at : at + 500]
            marks = ", ".join("?" * len(part))
            query = f"SELECT id, cid, kind, title, size_bytes FROM documents WHERE id IN ({marks})"
            for row in self.index.rows(query, part):
                number, size = int(row["id"]), int(row["size_bytes"])
                paths = list(paths_of(self.index.connection(), number))
                names = {name: str(row[name]) for name in ("cid", "kind", "title")}
                found[number] = Copy(**names, size_bytes=size, paths=paths)
        return found
