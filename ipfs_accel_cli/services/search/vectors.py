"""Finding by meaning: vectors of chunks, made by one model that is recorded, and compared exactly."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Conflict, NotFound
from ipfs_accel_cli.services.search.exact import Matrices, Matrix
from ipfs_accel_cli.services.search.filtering import ALL, Condition
from ipfs_accel_cli.services.search.index import Index, touch_vectors
from ipfs_accel_cli.services.search.matching import Scored, with_cids
from ipfs_accel_cli.services.search.near import Nearby
from ipfs_accel_cli.services.search.results import Space
from ipfs_accel_cli.services.search.schema import CHUNK_BITS
from ipfs_accel_cli.services.search.supply import Beside, Encoder

if TYPE_CHECKING:
    import numpy

COMMAND = "ipfs-accel search index embed"
_BATCH = 128
_PLAIN = re.compile(r"documents\.id IN \((SELECT document FROM (?:facts|members) WHERE [^()]*)\)")
# What passed filters is kept for the next page, or the next query under the same one, until something changes.
_FILTERS_KEPT = 8


@dataclass(frozen=True, slots=True)
class Vectors:
    """The vectors of one index: SQLite has the truth, files made of them are made again when they are old."""

    index: Index
    beside: Beside
    matrices: Matrices
    nearby: Nearby
    _passing: dict[object, numpy.ndarray[Any, Any]] = field(default_factory=dict)

    def space(self) -> sqlite3.Row | None:
        """Return the model that made the vectors, where there are any."""
        rows = self.index.rows("SELECT * FROM spaces LIMIT 1")
        return rows[0] if rows else None

    def stat(self) -> Space | None:
        """Describe the vectors."""
        row = self.space()
        if row is None:
            return None
        count = self.index.rows("SELECT count(*) FROM vectors")[0][0]
        return Space(
            model=row["model"],
            model_cid=row["model_cid"],
            dimensions=row["dimensions"],
            vectors=count,
            missing=self.lacking(),
        )

    def lacking(self) -> int:
        """Return how many chunks have no vector."""
        # FTS5 keeps one small row for each chunk, which are counted without reading any text.
        row = self.index.rows("SELECT (SELECT count(*) FROM words_docsize) - (SELECT count(*) FROM vectors)")
        return int(row[0][0])

    def missing(self) -> None:
        """Raise NotFound with the command that makes vectors."""
        raise NotFound("nothing has vectors yet", suggestion=COMMAND)

    def make(self, model: str | None = None, *, replace: bool = False, seconds: float | None = None) -> Space:
        """Make vectors of all chunks that have none, with the model of those that are there.

        Raises Conflict for another model unless `replace` throws its vectors away, and what loading a model raises.
        """
        until = None if seconds is None else time.monotonic() + seconds
        with self._encoder(model if model is not None or replace else self._recorded()) as encoder:
            self._agree(encoder, replace=replace)
            total = self.lacking()
            done = 0
            for chunks, texts in self._without():
                current().check()
                rows = encoder.embed(texts, "document")
                self._write(encoder, chunks, rows)
                done += len(chunks)
                current().progress(done, total, "chunks embedded")
                if until is not None and time.monotonic() >= until:
                    break
        self.nearby.refresh()
        found = self.stat()
        return found or Space(model=encoder.model, model_cid=encoder.model_cid, dimensions=0, vectors=0, missing=0)

    def nearest(self, text: str, condition: Condition, wanted: int, model: str | None = None) -> list[Scored]:
        """Return the documents nearest in meaning; raises Conflict where the vectors are another model's."""
        space = self.space()
        if space is None:
            self.missing()
        with self._encoder(model or self._recorded()) as encoder:
            self._agree(encoder, replace=False)
            vector = encoder.embed([text], "query")[0]
        return self.near(vector, condition, wanted)

    def near(self, vector: numpy.ndarray[Any, Any], condition: Condition, wanted: int) -> list[Scored]:
        """Return the documents with a chunk near to a vector; more is nearer, 1 the same direction."""
        unit = _unit(vector)
        if condition == ALL:
            found = self.nearby.search(unit, wanted)
            if found is not None:
                return with_cids(self.index, {one: (chunk, near) for one, chunk, near in found})
        matrix = self.matrices.read()
        allowed = None if condition == ALL else self._documents(condition)
        best = matrix.best(unit, wanted, allowed)
        return with_cids(self.index, {one: (chunk, near) for one, chunk, near in best})

    def of_document(self, document: int) -> numpy.ndarray[Any, Any] | None:
        """Return the middle of a document's vectors, none where it has none."""
        import numpy

        span = (document << CHUNK_BITS, (document + 1) << CHUNK_BITS)
        rows = self.index.rows("SELECT vector FROM vectors WHERE chunk >= ? AND chunk < ?", span)
        if not rows:
            return None
        found: numpy.ndarray[Any, Any] = numpy.mean([numpy.frombuffer(row[0], "<f4") for row in rows], axis=0)
        return found

    def matrix(self) -> Matrix:
        """Return all vectors."""
        return self.matrices.read()

    def encoder(self) -> AbstractContextManager[Encoder]:
        """Load the model that made the vectors."""
        return self._encoder(self._recorded())

    def _documents(self, condition: Condition) -> numpy.ndarray[Any, Any]:
        import numpy

        key = (condition, self.index.database.stamp())
        kept = self._passing.get(key)
        if kept is not None:
            return kept
        plain = _PLAIN.fullmatch(condition.sql)
        # Straight from the index of facts where nothing else is asked; one text of numbers is read several times
        # faster than a row for each of them.
        query = (
            f"SELECT group_concat(document) FROM ({plain[1]})"
            if plain
            else f"SELECT group_concat(id) FROM documents WHERE {condition.sql}"
        )
        text = self.index.rows(query, condition.values)[0][0]
        found: numpy.ndarray[Any, Any] = numpy.fromstring(text or "", dtype=numpy.int64, sep=",")
        while len(self._passing) >= _FILTERS_KEPT:
            self._passing.pop(next(iter(self._passing)), None)
        self._passing[key] = found
        return found

    def _encoder(self, model: str | None) -> AbstractContextManager[Encoder]:
        if self.beside.encoder is None:
            raise NotFound("nothing here makes vectors", suggestion=COMMAND)
        return self.beside.encoder(model)

    def _recorded(self) -> str | None:
        row = self.space()
        return str(row["model_cid"]) if row else None

    def _agree(self, encoder: Encoder, *, replace: bool) -> None:
        row = self.space()
        if row is None or row["model_cid"] == encoder.model_cid:
            return
        if not replace:
            raise Conflict(
                f"the vectors are those of {row['model']} ({row['model_cid']}); vectors of {encoder.model} cannot be"
                " compared with them",
                suggestion=f"{COMMAND} --model {encoder.model} --replace",
            )
        with self.index.write() as connection:
            connection.execute("DELETE FROM vectors")
            connection.execute("DELETE FROM spaces")
            touch_vectors(connection)

    def _without(self) -> Iterator[tuple[list[int], list[str]]]:
        """Yield chunks that have no vector with what is embedded of them, by and by."""
        last = -1
        query = (
            "SELECT id, title, body, more FROM chunks WHERE id > ? AND NOT EXISTS"
            " (SELECT 1 FROM vectors WHERE chunk = id) ORDER BY id LIMIT ?"
        )
        while rows := self.index.rows(query, (last, _BATCH)):
            last = rows[-1]["id"]
            yield [row["id"] for row in rows], [_text(row) for row in rows]

    def _write(self, encoder: Encoder, chunks: Sequence[int], rows: numpy.ndarray[Any, Any]) -> None:
        with self.index.write() as connection:
            dimensions = int(rows.shape[1])
            connection.execute(
                "INSERT OR IGNORE INTO spaces (model_cid, model, dimensions) VALUES (?, ?, ?)",
                (encoder.model_cid, encoder.model, dimensions),
            )
            kept = connection.execute("SELECT model_cid, dimensions FROM spaces").fetchone()
            if tuple(kept) != (encoder.model_cid, dimensions):
                raise Conflict("the vectors were replaced by another model's meanwhile", suggestion=COMMAND)
            touch_vectors(connection)
            (change,) = connection.execute("SELECT value FROM progress WHERE name = 'vectors'").fetchone()
            connection.executemany(
                # A chunk may have gone while it was embedded, or have another text by now.
                "INSERT OR REPLACE INTO vectors SELECT id, ?, ? FROM chunks WHERE id = ?",
                [(_unit(row).tobytes(), change, chunk) for chunk, row in zip(chunks, rows, strict=True)],
            )


def _text(row: sqlite3.Row) -> str:
    if row["body"].strip():
        return f"{row['title']}\n{row['body']}"
    return f"{row['title']}\n{row['more'].partition(chr(10))[2]}".strip()


def _unit(vector: numpy.ndarray[Any, Any]) -> numpy.ndarray[Any, Any]:
    import numpy

    found = numpy.ascontiguousarray(vector, dtype="<f4")
    length = float(numpy.linalg.norm(found))
    return found / numpy.float32(length) if length > 0 else found
