"""Looking after the index: adding, taking out, listing, verifying, and making it again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ipfs_accel_cli.core import listing
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import (
    AccelError,
    DiskFull,
    HomeUnusable,
    Invalid,
    NotAuthorised,
    NotFound,
    VerificationFailed,
)
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.services.search import index as tables
from ipfs_accel_cli.services.search.index import Index
from ipfs_accel_cli.services.search.intake import MODEL, ROOT, SEQUENCE, Intake, Tally
from ipfs_accel_cli.services.search.making import Maker
from ipfs_accel_cli.services.search.merging import merge
from ipfs_accel_cli.services.search.perceiving import BY_PATH, NOTHING, Perceiving, Wanted
from ipfs_accel_cli.services.search.results import Row, Rows, Space, Stat, Taken, Verified
from ipfs_accel_cli.services.search.supply import Beside

_LISTED = 100_000


@dataclass(frozen=True, slots=True)
class Keeping:
    """What can be done with the index of one home."""

    home: Home
    index: Index
    intake: Intake
    maker: Maker
    beside: Beside
    perceiving: Perceiving

    def fresh(self, seconds: float) -> int:
        """Catch up for so long and return what is still missing; where nothing can be written, only look."""
        try:
            return self.intake.catch_up(seconds).behind
        except (HomeUnusable, DiskFull):
            return self.intake.behind()

    def add(self, subjects: Sequence[str], wanted: Wanted = NOTHING) -> Taken:
        """Take in files, folders, CIDs or models; all that changed in the store where none is named.

        A path is read and not stored. Pictures and recordings among them are read by models as far as that is
        `wanted`. Raises NotFound for what is neither a path nor in the store, and before anything else what
        `Perceiving.readers` raises.
        """
        readers = self.perceiving.readers(wanted)
        if not subjects:
            taken = self.intake.catch_up()
            return taken.model_copy(update={"readings": self.perceiving.read(None, readers)})
        self.intake.catch_up(0)
        tally = Tally()
        roots: list[str] = []
        for subject in subjects:
            current().check()
            path = _path(subject)
            roots.append(self._add_kept(subject, tally) if path is None else self._add_path(path, tally))
        done = self.perceiving.read(roots, readers)
        if tally.documents:
            merge(self.index)
        return Taken(
            documents=tally.documents,
            removed=tally.removed,
            unread=tally.unread,
            behind=self.intake.behind(),
            readings=done,
        )

    def remove(self, subjects: Sequence[str]) -> Taken:
        """Take documents out by CID, root or path; they come back with `add` or a rebuild. Raises NotFound."""
        removed = 0
        with self.index.write() as connection:
            for subject in subjects:
                gone = self._out(connection, subject)
                if not gone:
                    raise NotFound(f"{subject} is not in the index", suggestion="ipfs-accel search index ls")
                removed += gone
        return Taken(documents=0, removed=removed, behind=self.intake.behind())

    def documents(self, where: str | None = None, sort: str | None = None, columns: str | None = None) -> Rows:
        """List the documents of the index, the newest first."""
        query = "SELECT * FROM documents ORDER BY id DESC LIMIT ?"
        rows = [self._row(row) for row in self.index.rows(query, (_LISTED,))]
        return listing.chosen(Rows(documents=rows), where=where, sort=sort, columns=columns)

    def stat(self, vectors: Space | None) -> Stat:
        """Say how large the index is, and how far behind."""
        kinds = self.index.rows("SELECT kind, count(*) AS n FROM documents GROUP BY kind ORDER BY kind")
        size = sum(path.stat().st_size for path in self._files() if path.exists())
        return Stat(
            documents=self._count("documents"),
            chunks=self._count("chunks"),
            kinds={row["kind"]: row["n"] for row in kinds},
            unread=self._count("documents WHERE problem IS NOT NULL"),
            size_bytes=size,
            sequence=max(0, self.index.progress(SEQUENCE)),
            behind=self.intake.behind(),
            automatic=self.beside.automatic(),
            vectors=vectors,
        )

    def verify(self) -> Verified:
        """Check that words, chunks, documents and facts belong together; raises VerificationFailed naming what not."""
        defects = list(self._defects())
        if defects:
            raise VerificationFailed(
                f"the index has {len(defects)} defects: {defects[0]['detail']}",
                suggestion="ipfs-accel search index rebuild",
                errors=defects[:100],
            )
        return Verified(
            documents=self._count("documents"),
            chunks=self._count("chunks"),
            vectors=self._count("vectors"),
            behind=self.intake.behind(),
        )

    def rebuild(self, *, read: bool = False) -> Taken:
        """Make the index again from the state; texts that were read before are not read again unless `read`.

        What was added by its path is read again, where it is still there. A file that SQLite cannot read is replaced.
        Vectors go, and the note says so.
        """
        vectors, paths = self._emptied(read=read)
        taken = self.intake.catch_up()
        tally = Tally(taken.documents, taken.removed, taken.unread)
        for path in paths:
            with suppress(AccelError):
                self._add_path(current().path(path), tally)
        note = f"{vectors} vectors are gone; make them again: ipfs-accel search index embed" if vectors else ""
        return Taken(documents=tally.documents, unread=tally.unread, behind=self.intake.behind(), note=note)

    def _emptied(self, *, read: bool) -> tuple[int, list[str]]:
        try:
            with self.index.write() as connection:
                rows = connection.execute("SELECT DISTINCT root FROM members").fetchall()
                paths = [row["root"].removeprefix(BY_PATH) for row in rows if row["root"].startswith(BY_PATH)]
                (vectors,) = connection.execute("SELECT count(*) FROM vectors").fetchone()
                connection.execute("INSERT INTO words (words) VALUES ('delete-all')")
                cache = ["extracted"] if read else []
                tables_ = ["chunks", "facts", "members", "roots", "sketches", "work", "vectors", "spaces", "documents"]
                for name in [*tables_, *cache]:
                    connection.execute(f"DELETE FROM {name}")
                tables.touch_vectors(connection)
                connection.execute("DELETE FROM progress WHERE name = ?", (SEQUENCE,))
                connection.execute("UPDATE progress SET value = abs(random()) >> 16 WHERE name = 'epoch'")
            return int(vectors), paths
        except sqlite3.DatabaseError:
            self.index.close()
            for path in self._files():
                path.unlink(missing_ok=True)
            return 0, []

    def _add_path(self, path: Path, tally: Tally) -> str:
        from ipfs_accel_cli.extractors.contents import FileContent

        absolute = path.absolute()
        root = f"{BY_PATH}{absolute}"
        seen: list[str] = []
        for file in _files_below(absolute):
            current().check()
            name = file.relative_to(absolute).as_posix() if file != absolute else file.name
            (computed,) = self.beside.store.cid_of([file])
            seen.append(name)
            row = tables.find(self.index.connection(), computed.cid)
            made = None if row is not None else self.maker.of_content(FileContent(file), computed.cid)
            with self.index.write() as connection:
                if made is None:
                    assert row is not None
                    number = int(row["id"])
                else:
                    entry, sketches = made
                    (number,) = tables.put(connection, [entry])
                    tables.remember(connection, entry.cid, entry.extractor, entry.document)
                    for kind, value in sketches:
                        connection.execute("INSERT OR REPLACE INTO sketches VALUES (?, ?, ?)", (number, kind, value))
                    tally.documents += 1
                    tally.unread += entry.problem is not None
                tally.removed += tables.join(connection, root, name, number)
            current().progress(tally.documents, None, "documents indexed")
        with self.index.write() as connection:
            tally.removed += tables.leave(connection, root, seen)
        return root

    def _add_kept(self, subject: str, tally: Tally) -> str:
        if self.beside.model(subject) is not None:
            self.intake.do(subject, MODEL, tally)
            return subject
        try:
            cid = self.beside.find(subject)
        except Invalid as error:
            raise NotFound(
                f"{subject[:80]!r} is no file, no model and no CID", suggestion="ipfs-accel store ls"
            ) from error
        rows = self.index.rows("SELECT label FROM roots WHERE cid = ?", (cid,))
        with self.index.write() as connection:
            row = tables.find(connection, cid)
            if row is not None and row["problem"] is not None:
                # What was missing then may be installed now.
                _read_again(connection, row["id"])
            if not rows:
                connection.execute("INSERT OR IGNORE INTO roots VALUES (?, 'search', ?)", (cid, subject))
        self.intake.do(cid, ROOT, tally)
        return cid

    def _out(self, connection: sqlite3.Connection, subject: str) -> int:
        by_path = f"{BY_PATH}{Path(subject).absolute()}"
        for root in (subject, by_path):
            if connection.execute("SELECT 1 FROM members WHERE root = ? LIMIT 1", (root,)).fetchone():
                connection.execute("DELETE FROM roots WHERE cid = ?", (root,))
                return tables.leave(connection, root) or 1
        row = tables.find(connection, subject)
        if row is None:
            return 0
        tables.remove(connection, row["id"])
        return 1

    def _count(self, of: str) -> int:
        return int(self.index.rows(f"SELECT count(*) FROM {of}")[0][0])

    def _row(self, row: sqlite3.Row) -> Row:
        names = ("cid", "kind", "title", "size_bytes", "added_at", "chunks", "extractor", "problem")
        tags = tables.tags_of(self.index.connection(), row["id"])
        return Row(**{name: row[name] for name in names}, tags=tags)

    def _defects(self) -> Iterator[dict[str, str]]:
        try:
            with self.index.write() as connection:
                connection.execute("INSERT INTO words (words, rank) VALUES ('integrity-check', 1)")
        except sqlite3.DatabaseError as error:
            yield {"pointer": "/words", "detail": f"the words do not fit the chunks: {error}"}
        lost = {
            "/chunks": "SELECT id FROM chunks WHERE id >> 10 NOT IN (SELECT id FROM documents)",
            "/facts": "SELECT document FROM facts WHERE document NOT IN (SELECT id FROM documents)",
            "/members": "SELECT document FROM members WHERE document NOT IN (SELECT id FROM documents)",
            "/vectors": "SELECT chunk FROM vectors WHERE chunk NOT IN (SELECT id FROM chunks)",
            "/documents": "SELECT id FROM documents WHERE id NOT IN (SELECT document FROM members)",
            "/documents/chunks": "SELECT id FROM documents WHERE chunks != (SELECT count(*) FROM chunks"
            " WHERE chunks.id >= documents.id << 10 AND chunks.id < (documents.id + 1) << 10)",
        }
        for pointer, query in lost.items():
            found = self.index.rows(f"SELECT count(*) FROM ({query})")[0][0]
            if found:
                yield {"pointer": pointer, "detail": f"{found} rows belong to nothing"}

    def _files(self) -> list[Path]:
        return [self.home.index_file.with_name(f"index.db{ending}") for ending in ("", "-wal", "-shm")]


def _read_again(connection: sqlite3.Connection, document: int) -> None:
    """Let a document be read anew when one of its roots is taken in; until then it is found as before."""
    connection.execute("DELETE FROM extracted WHERE cid = (SELECT cid FROM documents WHERE id = ?)", (document,))
    connection.execute("UPDATE documents SET extractor = '' WHERE id = ?", (document,))


def _files_below(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    for below in sorted(path.rglob("*")):
        if below.is_file() and not below.is_symlink():
            yield below


def _path(subject: str) -> Path | None:
    """Return the file or folder that a text names, if this caller may see it: whether others exist is not told."""
    try:
        path = current().path(subject)
    except NotAuthorised:
        return None
    return path if path.exists() else None
