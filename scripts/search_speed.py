"""How fast search is, beside the bare parts that it is made of, in processor time of paired runs.

The documents are made of sentences of the retrieval set, drawn with a fixed seed, each with a title, a number and
facts; the vectors are random around a few hundred centres, as those of texts are. What is compared:

* indexing: documents with their chunks, paths, facts and numbers, beside inserts of the same chunks into a content
  table and a bare FTS5 table with the same tokenizer and columns, in transactions of as many documents;
* words: the CIDs of the best ten, beside tantivy's best ten ids of the same words (English stems), where tantivy is
  installed; a whole page has paths, tags, snippets and the count on top;
* vectors under a filter that half of the documents pass, beside the bare product of all vectors and its best hundred;
* both together, with vectors of queries at hand: what the embedding model takes comes on top.
"""

from __future__ import annotations

import argparse
import random
import re
import sqlite3
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy
import search_quality

from ipfs_accel_cli.content.cid import CID, RAW
from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.extractors.base import Document
from ipfs_accel_cli.services.search import index as tables
from ipfs_accel_cli.services.search import matching
from ipfs_accel_cli.services.search.entry import Entry, moment
from ipfs_accel_cli.services.search.making import BATCH
from ipfs_accel_cli.services.search.merging import merge
from ipfs_accel_cli.services.search.querying import Asked
from ipfs_accel_cli.services.search.schema import COLUMNS, TOKENIZER
from ipfs_accel_cli.services.search.service import Search
from ipfs_accel_cli.services.search.supply import Beside

DIMENSIONS = 384
QUERIES = 200


class Nothing:
    """A store with nothing in it."""

    entries: Sequence[object] = ()

    def ls(self, reference: str | None = None) -> Nothing:
        return self


class Directions:
    """A model that gives a text the direction of its hash, at once."""

    model, model_cid = "directions", "directions"

    def __init__(self) -> None:
        self.centres = numpy.random.default_rng(1).normal(size=(500, DIMENSIONS)).astype(numpy.float32)

    def embed(self, texts: Sequence[str], role: str) -> Any:
        rows = []
        for text in texts:
            own = numpy.random.default_rng(abs(hash(text)))
            rows.append(self.centres[own.integers(500)] + own.normal(size=DIMENSIONS).astype(numpy.float32))
        return numpy.stack(rows)


def vocabulary() -> tuple[list[str], Any]:
    """Return 40,000 words and how often each is drawn: those of the retrieval set first, then made-up ones."""
    counted = Counter(
        word for _, _, text in search_quality.documents() for word in re.findall("[a-z]{2,}", text.lower())
    )
    words = [word for word, _ in counted.most_common()]
    chance = random.Random(5)
    syllables = [
        first + second for first in "bcdfghklmnprstvz" for second in ("a", "e", "i", "o", "u", "an", "er", "ol")
    ]
    made = dict.fromkeys("".join(chance.choices(syllables, k=chance.randint(2, 4))) for _ in range(60_000))
    words += [word for word in made if word not in counted]
    words = words[:40_000]
    shares = 1 / (numpy.arange(len(words)) + 2.7) ** 1.07
    return words, shares / shares.sum()


def documents(count: int, characters: int) -> Iterator[Entry]:
    """Yield made-up documents."""
    chance = numpy.random.default_rng(9)
    words, shares = vocabulary()
    at = moment("2026-01-01T00:00:00Z")
    for number in range(count):
        drawn = [words[one] for one in chance.choice(len(words), characters // 5, p=shares)]
        text = ". ".join(" ".join(drawn[at : at + 12]) for at in range(0, len(drawn), 12))[:characters]
        title = f"report {number} {' '.join(drawn[:3])}"
        facts = {"language": "de" if number % 2 else "en", "lines": number % 500}
        document = Document("text", title, text, facts)
        yield Entry(str(CID.of(str(number).encode(), RAW)), document, characters, at, "text/1")


@contextmanager
def opened(folder: str) -> Iterator[Search]:
    """Open an index of its own."""
    home, directions = Home(Path(folder)), Directions()

    @contextmanager
    def encoder(_model: str | None) -> Iterator[Directions]:
        yield directions

    beside = Beside(Nothing(), encoder=encoder)  # type: ignore[arg-type]
    search = Search(home, Database(home), beside)
    search.keeping.fresh(1)
    try:
        yield search
    finally:
        search.close()


def indexed(search: Search, entries: Sequence[Entry]) -> None:
    """Write documents as the intake does."""
    for start in range(0, len(entries), BATCH):
        part = entries[start : start + BATCH]
        with search.index.write() as connection:
            numbers = tables.put(connection, part, {one.cid: [one.document.title] for one in part})
            places = [(one.document.title, number) for one, number in zip(part, numbers, strict=True)]
            tables.join_all(connection, "bench", places, set(numbers))
    merge(search.index)


def bare(folder: str, rows: Sequence[tuple[object, ...]], batch: int) -> float:
    """Insert chunks into a content table and FTS5, and return the seconds of processor time."""
    connection = sqlite3.connect(Path(folder) / "bare.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("CREATE TABLE chunks (id INTEGER PRIMARY KEY, title TEXT, body TEXT, more TEXT)")
    connection.execute(
        f"CREATE VIRTUAL TABLE words USING fts5({COLUMNS}, content='chunks', content_rowid='id',"
        f" tokenize='{TOKENIZER}')"
    )
    began = time.process_time()
    for start in range(0, len(rows), batch):
        part = rows[start : start + batch]
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO chunks VALUES (?, ?, ?, ?)", part)
        connection.executemany(f"INSERT INTO words (rowid, {COLUMNS}) VALUES (?, ?, ?, ?)", part)
        connection.execute("COMMIT")
    spent = time.process_time() - began
    connection.close()
    return spent


def indexing(entries: Sequence[Entry], rounds: int) -> tuple[list[float], list[float]]:
    """Return the seconds of ours and of bare inserts, in turn."""
    ours, theirs = [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder, opened(folder) as search:
            began = time.process_time()
            indexed(search, entries)
            ours.append(time.process_time() - began)
            rows = [tuple(row) for row in search.index.rows(f"SELECT id, {COLUMNS} FROM chunks ORDER BY id")]
            theirs.append(bare(folder, rows, round(BATCH * len(rows) / len(entries))))
    return ours, theirs


def words_of(count: int, each: int) -> list[str]:
    """Return queries of words that stand in the documents, common and rare ones."""
    chance = numpy.random.default_rng(4)
    words, shares = vocabulary()
    # What is asked for is rarer than what is written: no word of the hundred most frequent ones.
    shares[:100] = 0
    shares /= shares.sum()
    return [" ".join(words[one] for one in chance.choice(len(words), each, p=shares)) for _ in range(count)]


def timed(work: Callable[[str], object], texts: Sequence[str]) -> list[float]:
    """Return the milliseconds of processor time of each query."""
    found = []
    for text in texts:
        began = time.process_time()
        work(text)
        found.append((time.process_time() - began) * 1000)
    return found


def tantivy_of(entries: Sequence[Entry], folder: str) -> Callable[[str, bool], object]:
    """Index the same texts with tantivy and return what asks it."""
    import tantivy

    schema = tantivy.SchemaBuilder()
    schema.add_text_field("title", stored=False, tokenizer_name="en_stem")
    schema.add_text_field("body", stored=False, tokenizer_name="en_stem")
    schema.add_unsigned_field("id", stored=True)
    index = tantivy.Index(schema.build(), path=folder)
    writer = index.writer(heap_size=256 << 20, num_threads=1)
    for number, one in enumerate(entries):
        writer.add_document(tantivy.Document(title=one.document.title, body=one.document.text, id=number))
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    searcher = index.searcher()

    def ask(text: str, every: bool) -> object:
        joined = (" AND " if every else " OR ").join(text.split())
        hits = searcher.search(index.parse_query(joined, ["title", "body"]), 10, count=False).hits
        return [searcher.doc(address)["id"] for _, address in hits]

    return ask


def fill_vectors(search: Search) -> None:
    """Write a vector for each chunk, straight into the truth."""
    directions = Directions()
    ids = [row[0] for row in search.index.rows("SELECT id FROM chunks ORDER BY id")]
    chance = numpy.random.default_rng(2)
    with search.index.write() as connection:
        connection.execute(
            "INSERT INTO spaces (model_cid, model, dimensions) VALUES ('directions', 'directions', ?)", (DIMENSIONS,)
        )
        tables.touch_vectors(connection)
        for start in range(0, len(ids), 10_000):
            part = ids[start : start + 10_000]
            rows = directions.centres[chance.integers(500, size=len(part))]
            rows = rows + chance.normal(size=rows.shape).astype(numpy.float32)
            rows /= numpy.linalg.norm(rows, axis=1, keepdims=True)
            connection.executemany(
                "INSERT INTO vectors VALUES (?, ?, 1)",
                [(chunk, row.astype("<f4").tobytes()) for chunk, row in zip(part, rows, strict=True)],
            )


def line(name: str, ratio: float, limit: float, detail: str, *, at_least: bool = False) -> bool:
    """Print one comparison; say whether it held."""
    held = ratio >= limit if at_least else ratio <= limit
    word = "at least" if at_least else "at most"
    print(f"{'held' if held else 'MISSED':7}{name:34} {ratio:7.2f}  ({word} {limit}; {detail})", flush=True)
    return held


def run(chosen: argparse.Namespace) -> bool:
    """Measure all."""
    held = True
    # Files of a store are seldom shorter than 2,000 characters; 380 show what a document costs beside its words.
    for characters, rounds in ((380, 3), (2000, 1)):
        entries = list(documents(chosen.documents, characters))
        ours, theirs = indexing(entries, rounds)
        ratio = statistics.median(other / one for one, other in zip(ours, theirs, strict=True))
        per = min(ours) / len(entries) * 1e6
        held &= line(f"indexing, {characters} characters", ratio, 0.8, f"{per:.0f} us a document", at_least=True)
    entries = list(documents(chosen.documents, 380))
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder, opened(folder) as search:
        indexed(search, entries)
        search.query(Asked("warm"))
        held &= asked_words(search, entries, folder)
        fill_vectors(search)
        held &= asked_vectors(search)
    return bool(held)


def asked_words(search: Search, entries: Sequence[Entry], folder: str) -> bool:
    """Compare queries of words."""
    ask = tantivy_of(entries, _made(folder, "tantivy")) if find_spec("tantivy") else None
    if ask is None:
        print("tantivy is not installed (pip install tantivy): words are timed alone")
    held = True
    for every, limit in ((True, 4.0), (False, 16.0)):
        texts = [text for each in (1, 2, 3) for text in words_of(QUERIES // 3, each)]
        prepared = {text: search.querying.prepare(Asked(text, every=every)) for text in texts}
        page = timed(lambda text, every=every: search.query(Asked(text, mode="text", every=every)), texts)  # type: ignore[misc]
        # As in a query of a user: all of it in one reading transaction.
        with search.index.reading():
            mine = timed(
                lambda text, prepared=prepared: matching.best(  # type: ignore[misc]
                    search.index, prepared[text].expression, prepared[text].condition, 10, prepared[text].phrases
                ),
                texts,
            )
        name, spread = "conjunctive" if every else "disjunctive", statistics.quantiles(mine, n=100)[98]
        detail = (
            f"p50 {statistics.median(mine):.2f} ms, p99 {spread:.1f} ms, a whole page {statistics.median(page):.1f} ms"
        )
        if ask is None:
            print(f"       {name}: {detail}")
            continue
        other = timed(lambda text, every=every: ask(text, every), texts)  # type: ignore[misc]
        detail += f"; tantivy p50 {statistics.median(other):.2f} ms"
        held &= line(f"words, {name}", statistics.median(mine) / statistics.median(other), limit, detail)
    return held


def asked_vectors(search: Search) -> bool:
    """Compare queries by meaning, and both together."""
    texts, directions = words_of(60, 3), Directions()
    matrix = search.vectors.matrix()

    def scan(text: str) -> object:
        scores = matrix.rows @ directions.embed([text], "query")[0]
        return numpy.argpartition(-scores, 100)[:100]

    def filtered(text: str) -> object:
        known = search.querying.prepare(Asked(text, where="language=de")).condition
        return search.vectors.near(directions.embed([text], "query")[0], known, 100)

    pairs = [(timed(filtered, [text])[0], timed(scan, [text])[0]) for text in texts for _ in range(2)]
    ratio = statistics.median(one / other for one, other in pairs)
    detail = f"p50 {statistics.median(one for one, _ in pairs):.1f} ms"
    held = line("vectors under a filter", ratio, 1.5, detail)
    both = timed(lambda text: search.query(Asked(text, mode="hybrid")), texts)
    spread = statistics.quantiles(both, n=100)[98]
    return held & line("both together, ms", statistics.median(both), 60.0, f"p99 {spread:.0f} ms")


def _made(folder: str, name: str) -> str:
    path = Path(folder) / name
    path.mkdir()
    return str(path)
