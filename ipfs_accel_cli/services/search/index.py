"""The index file: documents, their chunks and facts, written in short transactions and made again when it is broken."""

from __future__ import annotations

import json
import sqlite3
import threading
import zlib
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count

from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.extractors.base import Document
from ipfs_accel_cli.services.search.entry import TAG, Entry, fact_rows, named
from ipfs_accel_cli.services.search.schema import (
    CACHE_KIB,
    CHUNK_BITS,
    COLUMNS,
    INDEX_MIGRATIONS,
    INDEX_OWNER,
    LOG_PAGES,
    of_chunk,
)

_MOST_NAMES = 50
_NONE: Mapping[str, Sequence[str]] = {}
_CHUNKS_OF = "id >= ? AND id < ?"


class Index:
    """Reads and writes `index.db` of one home; safe to share between threads and processes."""

    def __init__(self, home: Home) -> None:
        self.database = Database(home, home.index_file, rebuildable=True)
        self._ready = False
        self._local = threading.local()

    def connection(self) -> sqlite3.Connection:
        """Return this thread's connection, after making the tables if need be."""
        if not self._ready:
            self.database.migrate(INDEX_OWNER, INDEX_MIGRATIONS)
            self._ready = True
        connection = self.database.read()
        if connection is not getattr(self._local, "connection", None):
            # SQLite's own lower() knows no letters but those of ASCII.
            connection.create_function("fold", 1, str.lower, deterministic=True)
            connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
            connection.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES}")
            self._local.connection = connection
        return connection

    def rows(self, query: str, values: Sequence[object] = ()) -> list[sqlite3.Row]:
        """Return what a query finds."""
        return self.connection().execute(query, values).fetchall()

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Run the block in one transaction."""
        self.connection()
        with self.database.write() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[None]:
        """See one state in all of the block, whatever others write meanwhile."""
        connection = self.connection()
        if connection.in_transaction:
            yield
            return
        connection.execute("BEGIN")
        try:
            yield
        finally:
            connection.execute("ROLLBACK")

    def progress(self, name: str, start: int = 0) -> int:
        """Return a number that is remembered: `sequence` (the last event taken in), `epoch`, `vectors`."""
        found = self.rows("SELECT value FROM progress WHERE name = ?", (name,))
        return int(found[0]["value"]) if found else start

    def cached(self, cid: str, extractor: str) -> Document | None:
        """Return what an extractor of this version made of content before."""
        found = self.rows("SELECT body FROM extracted WHERE cid = ? AND extractor = ?", (cid, extractor))
        return _document(found[0]["body"]) if found else None

    def close(self) -> None:
        """Close the file."""
        self.database.close()
        self._ready = False


def set_progress(connection: sqlite3.Connection, name: str, value: int) -> None:
    """Remember a number."""
    connection.execute("INSERT OR REPLACE INTO progress VALUES (?, ?)", (name, value))


def put(
    connection: sqlite3.Connection, entries: Iterable[Entry], paths: Mapping[str, Sequence[str]] = _NONE
) -> list[int]:
    """Write documents, in the place of what was known of the same CIDs, and return their numbers.

    With `paths`, those under which each CID is about to be kept, new documents are written with the words of these at
    once; `join_all` with the same then has nothing to write again.
    """
    once = list({entry.cid: entry for entry in entries}.values())
    known = numbers_of(connection, [entry.cid for entry in once])
    following = count(_next_number(connection, len(once) - len(known)))
    numbers: list[int] = []
    documents: list[tuple[object, ...]] = []
    rows: list[tuple[int, str, str, str]] = []
    facts: list[tuple[object, ...]] = []
    for entry in once:
        number = known.get(entry.cid)
        if number is None:
            number, added_at = next(following), entry.added_at
            names: Sequence[str] = sorted(set(paths.get(entry.cid, ())))[:_MOST_NAMES]
        else:
            names, added_at = paths_of(connection, number), min(entry.added_at, _emptied(connection, number))
        told = list(entry.facts())
        parts = entry.rows(names, told)
        first, document = number << CHUNK_BITS, entry.document
        about = (document.kind, document.title, entry.size_bytes, added_at, len(parts), entry.extractor, entry.problem)
        documents.append((number, entry.cid, *about))
        rows += [(first | place, *part) for place, part in enumerate(parts)]
        facts += [(number, *fact) for fact in told]
        numbers.append(number)
    connection.executemany("DELETE FROM documents WHERE id = ?", [(number,) for number in known.values()])
    connection.executemany("INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", documents)
    connection.executemany("INSERT INTO chunks VALUES (?, ?, ?, ?)", rows)
    connection.executemany(f"INSERT INTO words (rowid, {COLUMNS}) VALUES (?, ?, ?, ?)", rows)
    connection.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?, ?, ?, ?)", facts)
    return numbers


def remember(connection: sqlite3.Connection, cid: str, extractor: str, document: Document) -> None:
    """Keep what an extractor made of content."""
    body = zlib.compress(
        json.dumps(
            [document.kind, document.title, document.text, dict(document.facts), document.links, document.truncated]
        ).encode(),
        1,
    )
    connection.execute("DELETE FROM extracted WHERE cid = ?", (cid,))
    connection.execute("INSERT INTO extracted VALUES (?, ?, ?)", (cid, extractor, body))


def remove(connection: sqlite3.Connection, document: int) -> None:
    """Take a document out, with all that belongs to it."""
    _clear(connection, document)
    connection.execute("DELETE FROM sketches WHERE document = ?", (document,))
    connection.execute("DELETE FROM members WHERE document = ?", (document,))
    connection.execute("DELETE FROM extracted WHERE cid = (SELECT cid FROM documents WHERE id = ?)", (document,))
    connection.execute("DELETE FROM documents WHERE id = ?", (document,))


def find(connection: sqlite3.Connection, cid: str) -> sqlite3.Row | None:
    """Return the row of a document."""
    row: sqlite3.Row | None = connection.execute("SELECT * FROM documents WHERE cid = ?", (cid,)).fetchone()
    return row


def numbers_of(connection: sqlite3.Connection, cids: Iterable[str]) -> dict[str, int]:
    """Return the numbers of those documents that are there."""
    query = "SELECT cid, id FROM documents WHERE cid IN (SELECT value FROM json_each(?))"
    return {row["cid"]: row["id"] for row in connection.execute(query, (json.dumps(list(cids)),))}


def paths_of(connection: sqlite3.Connection, document: int) -> tuple[str, ...]:
    """Return the paths under which a document is kept, each once."""
    query = "SELECT DISTINCT path FROM members WHERE document = ? ORDER BY path LIMIT ?"
    return tuple(row["path"] for row in connection.execute(query, (document, _MOST_NAMES)))


def join(connection: sqlite3.Connection, root: str, path: str, document: int) -> int:
    """Say that a document is kept under a path of a root; see `join_all`."""
    return join_all(connection, root, [(path, document)])


def join_all(
    connection: sqlite3.Connection, root: str, places: Sequence[tuple[str, int]], fresh: Container[int] = ()
) -> int:
    """Say that documents are kept under paths of a root, and let them be found by the words of these.

    Those that are `fresh` have the words of their paths already. Returns how many documents went that were there
    before, and that nothing keeps any more.
    """
    query = "SELECT path, document FROM members WHERE root = ? AND path IN (SELECT value FROM json_each(?))"
    asked = json.dumps([path for path, _ in places])
    before = {row["path"]: row["document"] for row in connection.execute(query, (root, asked))}
    changed = [(root, path, document) for path, document in places if before.get(path) != document]
    connection.executemany("INSERT OR REPLACE INTO members VALUES (?, ?, ?)", changed)
    for document in dict.fromkeys(document for _, _, document in changed if document not in fresh):
        rename(connection, document)
    return orphans(connection, [before[path] for _, path, _ in changed if path in before])


def leave(connection: sqlite3.Connection, root: str, keep: Iterable[str] | None = None) -> int:
    """Forget what a root kept, but the paths in `keep`; documents that nothing keeps go. Returns how many went."""
    kept = set(keep or ())
    rows = connection.execute("SELECT path, document FROM members WHERE root = ?", (root,)).fetchall()
    gone = [row for row in rows if row["path"] not in kept]
    connection.executemany("DELETE FROM members WHERE root = ? AND path = ?", [(root, row["path"]) for row in gone])
    return orphans(connection, [row["document"] for row in gone])


def orphans(connection: sqlite3.Connection, documents: Iterable[int]) -> int:
    """Remove those of some documents that nothing keeps."""
    gone = 0
    for document in dict.fromkeys(documents):
        if connection.execute("SELECT 1 FROM members WHERE document = ? LIMIT 1", (document,)).fetchone() is None:
            remove(connection, document)
            gone += 1
        else:
            rename(connection, document)
    return gone


def set_facts(connection: sqlite3.Connection, cid: str, name: str, values: tuple[str, ...]) -> None:
    """Replace a fact of a document, where it is indexed; tags are found as words, too."""
    row = find(connection, cid)
    if row is None:
        return
    connection.execute("DELETE FROM facts WHERE document = ? AND name = ?", (row["id"], name))
    rows = [(row["id"], *fact) for fact in fact_rows(name, values)]
    connection.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?, ?, ?, ?)", rows)


def tags_of(connection: sqlite3.Connection, document: int) -> list[str]:
    """Return the tags of a document."""
    query = "SELECT value FROM facts WHERE document = ? AND name = ? ORDER BY key"
    return [row["value"] for row in connection.execute(query, (document, TAG))]


def _next_number(connection: sqlite3.Connection, wanted: int) -> int:
    """Return the first of so many numbers that no document has or ever had, and remember that they are given away."""
    query = "SELECT value FROM progress WHERE name = 'numbered' UNION ALL SELECT max(id) FROM documents"
    last = max(row[0] or 0 for row in connection.execute(query))
    set_progress(connection, "numbered", last + wanted)
    return last + 1


def _emptied(connection: sqlite3.Connection, document: int) -> str:
    """Make room for another text of a document, and return since when it is known."""
    _clear(connection, document)
    row = connection.execute("SELECT added_at FROM documents WHERE id = ?", (document,)).fetchone()
    return str(row["added_at"])


def _clear(connection: sqlite3.Connection, document: int) -> None:
    """Take out what was made of a document's text."""
    span = (of_chunk(document, 0), of_chunk(document + 1, 0))
    connection.execute(
        f"INSERT INTO words (words, rowid, {COLUMNS}) SELECT 'delete', id, {COLUMNS} FROM chunks WHERE {_CHUNKS_OF}",
        span,
    )
    connection.execute(f"DELETE FROM chunks WHERE {_CHUNKS_OF}", span)
    gone = connection.execute("DELETE FROM vectors WHERE chunk >= ? AND chunk < ?", span).rowcount
    if gone:
        touch_vectors(connection)
    connection.execute("DELETE FROM facts WHERE document = ?", (document,))


def touch_vectors(connection: sqlite3.Connection) -> None:
    """Count a change of the vectors, so that files made of them are known to be old."""
    connection.execute("INSERT INTO progress VALUES ('vectors', 1) ON CONFLICT (name) DO UPDATE SET value = value + 1")


def rename(connection: sqlite3.Connection, document: int) -> None:
    """Let a document be found by the words of the paths under which it is kept now, and of no others."""
    first = of_chunk(document, 0)
    row = connection.execute("SELECT * FROM chunks WHERE id = ?", (first,)).fetchone()
    if row is None:
        return
    before, _, rest = row["more"].partition("\n")
    after = named(paths_of(connection, document), row["title"])
    if before == after:
        return
    old, new = tuple(row), (first, row["title"], row["body"], f"{after}\n{rest}")
    marks = "?, ?, ?, ?"
    connection.execute(f"INSERT INTO words (words, rowid, {COLUMNS}) VALUES ('delete', {marks})", old)
    connection.execute("UPDATE chunks SET more = ? WHERE id = ?", (new[3], first))
    connection.execute(f"INSERT INTO words (rowid, {COLUMNS}) VALUES ({marks})", new)


def _document(body: bytes) -> Document:
    kind, title, text, facts, links, truncated = json.loads(zlib.decompress(body))
    read = {name: tuple(value) if isinstance(value, list) else value for name, value in facts.items()}
    return Document(kind, title, text, read, tuple(links), truncated)


def document_of(chunk: int) -> int:
    """Return the number of the document that a chunk belongs to."""
    return chunk >> CHUNK_BITS
