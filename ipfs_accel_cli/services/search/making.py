"""From content to documents: each file of a root read once, within limits, whatever is wrong with it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any, Protocol

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import AccelError, Cancelled
from ipfs_accel_cli.extractors.base import UNREADABLE, Content, Document
from ipfs_accel_cli.services.search import index as tables
from ipfs_accel_cli.services.search.entry import Entry, moment
from ipfs_accel_cli.services.search.index import Index
from ipfs_accel_cli.services.search.sketching import sketches_of
from ipfs_accel_cli.services.search.supply import Beside, ModelAbout, StoredContent, facts_of

# What is written at once: each transaction leaves a segment of words that is merged with others later.
BATCH = 2000
_BATCH_CHARACTERS = 8 << 20
_BATCH_SECONDS = 1.0
_DEEPEST = 64


class Tally(Protocol):
    """Counts what is done."""

    documents: int
    removed: int
    unread: int


@dataclass(frozen=True, slots=True)
class Member:
    """A file of a root: its CID, the path under the root, and what it is called."""

    cid: str
    path: str
    name: str
    size_bytes: int
    kind: str


@dataclass(frozen=True, slots=True)
class Made:
    """An entry with what else is kept of its content."""

    member: Member
    entry: Entry | None
    sketches: tuple[tuple[str, bytes], ...] = ()
    fresh: bool = False


class Maker:
    """Makes documents of what the store keeps."""

    def __init__(self, index: Index, beside: Beside, tags: Callable[[str], tuple[str, ...]]) -> None:
        self._index, self._beside, self._tags = index, beside, tags

    def take(self, root: str, label: str, tally: Tally, until: float | None) -> bool:
        """Take in every file of a root; False where the time was over before its end."""
        seen: set[str] = set()
        batch: list[Made] = []
        characters = 0
        since = time.monotonic()
        for member in self._members(root, label):
            current().check()
            seen.add(member.path)
            batch.append(self._made(member))
            characters += len(batch[-1].entry.document.text) if batch[-1].entry else 0
            full = len(batch) >= BATCH or characters >= _BATCH_CHARACTERS
            if full or time.monotonic() - since > _BATCH_SECONDS:
                self._write(root, batch, tally)
                batch, characters, since = [], 0, time.monotonic()
                current().progress(tally.documents, None, "documents indexed")
            if until is not None and time.monotonic() >= until:
                self._write(root, batch, tally)
                return False
        self._write(root, batch, tally)
        with self._index.write() as connection:
            tally.removed += tables.leave(connection, root, seen)
        return True

    def again(self, cid: str) -> bool:
        """Write a document anew, because what is said about it changed; False where it is not indexed."""
        row = tables.find(self._index.connection(), cid)
        if row is None or row["kind"] == "model":
            return False
        found = self._index.cached(cid, row["extractor"])
        document = found or Document(row["kind"], row["title"])
        with self._index.write() as connection:
            tags = tuple(tables.tags_of(connection, row["id"]))
            entry = Entry(cid, document, row["size_bytes"], row["added_at"], row["extractor"], row["problem"], tags)
            tables.put(connection, [replace(entry, said=self._said(cid))])
        return True

    def of_model(self, connection: sqlite3.Connection, manifest: str, about: ModelAbout) -> Entry:
        """Return the entry of a model, with the tags that it has."""
        row = tables.find(connection, manifest)
        tags = tuple(tables.tags_of(connection, row["id"])) if row else self._tags(manifest)
        return Entry(manifest, about.document, about.size_bytes, moment(about.added_at), "model/1", None, tags)

    def of_content(self, content: Content, cid: str, added_at: str | None = None) -> tuple[Entry, Any]:
        """Read one file; whatever is wrong with it, its name and its size are known. Returns its sketches, too."""
        from ipfs_accel_cli.extractors.base import Limits
        from ipfs_accel_cli.extractors.registry import extract, recognise, version

        problem = None
        name = recognise(content)
        stamp = f"{name}/{version(name)}"
        kept = self._index.cached(cid, stamp)
        document = kept if kept is not None else extract(content, Limits(), name=name)
        if UNREADABLE in document.facts:
            problem = str(document.facts[UNREADABLE])
        entry = Entry(cid, document, content.size_bytes, added_at or moment(), stamp, problem, self._tags(cid))
        return replace(entry, said=self._said(cid)), sketches_of(document)

    def _made(self, member: Member) -> Made:
        row = tables.find(self._index.connection(), member.cid)
        if row is not None and row["kind"] != "model" and row["extractor"]:
            return Made(member, None)
        if member.kind != "file" and member.kind != "block":
            document = Document(member.kind, member.name, "", {"size_bytes": member.size_bytes})
            tags = self._tags(member.cid)
            return Made(member, Entry(member.cid, document, member.size_bytes, moment(), "name/1", None, tags))
        try:
            with closing(self._beside.store.content(member.cid)) as opened:
                entry, sketches = self.of_content(StoredContent(opened, member.name), member.cid)
        except Cancelled:
            raise
        except AccelError as error:
            document = Document("unknown", member.name, "", {UNREADABLE: error.detail})
            return Made(member, Entry(member.cid, document, member.size_bytes, moment(), "none/0", error.detail))
        return Made(member, entry, sketches, True)

    def _write(self, root: str, batch: list[Made], tally: Tally) -> None:
        if not batch:
            return
        with self._index.write() as connection:
            entries = [made.entry for made in batch if made.entry is not None]
            paths: dict[str, list[str]] = {}
            for made in batch:
                paths.setdefault(made.member.cid, []).append(made.member.path)
            known = tables.numbers_of(connection, paths)
            tables.put(connection, entries, paths)
            numbers = tables.numbers_of(connection, paths)
            places = [(made.member.path, numbers[made.member.cid]) for made in batch if made.member.cid in numbers]
            fresh = {number for cid, number in numbers.items() if cid not in known}
            tally.removed += tables.join_all(connection, root, places, fresh)
            for made in batch:
                number = numbers.get(made.member.cid)
                for kind, value in made.sketches if number is not None else ():
                    connection.execute("INSERT OR REPLACE INTO sketches VALUES (?, ?, ?)", (number, kind, value))
                if made.fresh and made.entry is not None:
                    tables.remember(connection, made.entry.cid, made.entry.extractor, made.entry.document)
        tally.documents += len(entries)
        tally.unread += sum(entry.problem is not None for entry in entries)

    def _members(self, root: str, label: str) -> Iterator[Member]:
        yield from self._below(root, label.rstrip("/").rpartition("/")[2] or root, "", 0)

    def _below(self, cid: str, name: str, path: str, depth: int) -> Iterator[Member]:
        """Yield the files of a folder and of those in it; a file that is a root has its name for a path."""
        try:
            entries = self._beside.store.ls(cid).entries
        except AccelError:
            entries = []
        if len(entries) == 1 and entries[0].cid == cid:
            one = entries[0]
            yield Member(cid, path or name, name, one.size_bytes or 0, one.kind)
            return
        for one in entries:
            below = f"{path}/{one.name}" if path else one.name
            if one.kind == "directory" and depth < _DEEPEST:
                yield from self._below(one.cid, one.name, below, depth + 1)
            elif one.kind in ("file", "raw", "block", "encrypted"):
                yield Member(one.cid, below, one.name, one.size_bytes or 0, "file" if one.kind == "raw" else one.kind)

    def _said(self, cid: str) -> dict[str, Any]:
        try:
            return dict(facts_of(self._beside.store.metadata.get(cid).meta))
        except AccelError:
            return {}
