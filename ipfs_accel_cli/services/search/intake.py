"""What changed in the state comes into the index: events in their order, then whatever they are about.

The index never runs ahead of the state: it reads what was committed there, and writes that it has done so in the same
transaction as what it made of it. What is killed half-way is done again.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from ipfs_accel_cli.core import events
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.events import Event
from ipfs_accel_cli.services.search import index as tables
from ipfs_accel_cli.services.search.entry import TAG
from ipfs_accel_cli.services.search.index import Index, set_progress
from ipfs_accel_cli.services.search.making import Maker
from ipfs_accel_cli.services.search.merging import merge
from ipfs_accel_cli.services.search.results import Taken
from ipfs_accel_cli.services.search.supply import Beside
from ipfs_accel_cli.services.search.tags import all_tags, tags_of

TOPICS = ("store", "model", "search")
SEQUENCE = "sequence"
_BATCH_EVENTS = 500
# What these keep is no content of the user's: parts of models, half of a download, versions of what is said.
_NOT_CONTENT = frozenset({"model", "deploy", "fetching", "sync", "meta", "infer-pipeline", "pipeline"})
ROOT, MODEL, SAID = "root", "model", "said"


@dataclass(slots=True)
class Tally:
    """What was done so far."""

    documents: int = 0
    removed: int = 0
    unread: int = 0
    failed: list[str] = field(default_factory=list)


class Intake:
    """Takes in what changed, as much as there is time for."""

    def __init__(self, state: Database, index: Index, maker: Maker, beside: Beside) -> None:
        self._state, self._index, self._maker, self._beside = state, index, maker, beside

    def behind(self) -> int:
        """Return how many events and things to look at are not taken in yet."""
        sequence = self._index.progress(SEQUENCE, -1)
        if sequence < 0:
            return max(1, events.newest(self._state))
        pending = self._index.rows("SELECT count(*) FROM work")[0][0]
        return int(pending) + len(events.since(self._state, sequence, TOPICS, 10_000))

    def catch_up(self, seconds: float | None = None) -> Taken:
        """Take in what changed since the last time; without `seconds` all of it."""
        until = None if seconds is None else time.monotonic() + seconds
        tally = Tally()
        self._read_events(tally)
        for subject, kind in self._work():
            if until is not None and time.monotonic() >= until:
                break
            self._do(subject, kind, tally, until)
        # Who waits for an answer does not wait for this.
        if until is None and tally.documents:
            merge(self._index)
        return Taken(documents=tally.documents, removed=tally.removed, unread=tally.unread, behind=self.behind())

    def do(self, subject: str, kind: str, tally: Tally) -> None:
        """Look at all of a root or a model now."""
        self._do(subject, kind, tally, None)

    def _read_events(self, tally: Tally) -> None:
        sequence = self._index.progress(SEQUENCE, -1)
        if sequence < 0 or sequence + 1 < events.oldest(self._state):
            self._from_state()
            sequence = self._index.progress(SEQUENCE, -1)
        while found := events.since(self._state, sequence, TOPICS, _BATCH_EVENTS):
            sequence = found[-1].sequence
            with self._index.write() as connection:
                if self._sequence(connection) >= sequence:
                    continue
                for event in found:
                    self._note(connection, event, tally)
                set_progress(connection, SEQUENCE, sequence)

    def _from_state(self) -> None:
        """Compare with everything that the state has, as of an event that is not newer than it."""
        newest = events.newest(self._state)
        kept = {(one.cid, one.owner, one.name) for one in self._beside.store.ls().entries}
        models, tagged = self._beside.models(), all_tags(self._state)
        with self._index.write() as connection:
            known = {
                tuple(row) for row in connection.execute("SELECT cid, owner, label FROM roots WHERE owner != 'search'")
            }
            connection.executemany("DELETE FROM roots WHERE cid = ? AND owner = ? AND label = ?", list(known - kept))
            connection.executemany("INSERT INTO roots VALUES (?, ?, ?)", list(kept - known))
            roots = {cid for cid, owner, _ in kept | known if owner not in _NOT_CONTENT}
            for cid in roots if self._beside.automatic() else {cid for cid, _, _ in known - kept}:
                _want(connection, cid, ROOT)
            indexed = {row["root"] for row in connection.execute("SELECT DISTINCT root FROM members WHERE path = ''")}
            for manifest in {*models, *indexed}:
                _want(connection, manifest, MODEL)
            connection.execute("DELETE FROM facts WHERE name = ?", (TAG,))
            for cid, tags in tagged.items():
                tables.set_facts(connection, cid, TAG, tags)
            set_progress(connection, SEQUENCE, newest)

    def _sequence(self, connection: sqlite3.Connection) -> int:
        row = connection.execute("SELECT value FROM progress WHERE name = ?", (SEQUENCE,)).fetchone()
        return int(row["value"]) if row else -1

    def _note(self, connection: sqlite3.Connection, event: Event, tally: Tally) -> None:
        if event.topic == "model":
            _want(connection, event.subject, MODEL)
        elif event.topic == "search":
            tables.set_facts(connection, event.subject, TAG, tags_of(self._state, event.subject))
        elif event.kind in ("kept", "released"):
            self._root_told(connection, event)

    def _root_told(self, connection: sqlite3.Connection, event: Event) -> None:
        owner, label = str(event.data["owner"]), str(event.data["label"])
        if owner == "meta":
            _want(connection, label, SAID)
        if owner in _NOT_CONTENT:
            return
        row = (event.subject, owner, label)
        if event.kind == "kept":
            connection.execute("INSERT OR IGNORE INTO roots VALUES (?, ?, ?)", row)
            if self._beside.automatic():
                _want(connection, event.subject, ROOT)
        else:
            connection.execute("DELETE FROM roots WHERE cid = ? AND owner = ? AND label = ?", row)
            _want(connection, event.subject, ROOT)

    def _work(self) -> Iterator[tuple[str, str]]:
        # What is kept goes first: a file that only moved from one root to another stays as it was read.
        gone = "NOT EXISTS (SELECT 1 FROM roots WHERE cid = subject)"
        for row in self._index.rows(f"SELECT subject, kind FROM work ORDER BY kind, {gone}, subject"):
            current().check()
            yield row["subject"], row["kind"]

    def _do(self, subject: str, kind: str, tally: Tally, until: float | None) -> None:
        if kind == MODEL:
            self._model(subject, tally)
        elif kind == SAID:
            self._said(subject, tally)
        elif not self._root(subject, tally, until):
            return
        with self._index.write() as connection:
            connection.execute("DELETE FROM work WHERE subject = ? AND kind = ?", (subject, kind))

    def _root(self, root: str, tally: Tally, until: float | None) -> bool:
        """Take in the files of a root, or out if nothing keeps it; False where the time was over before its end."""
        labels = [row["label"] for row in self._index.rows("SELECT label FROM roots WHERE cid = ?", (root,))]
        if not labels:
            with self._index.write() as connection:
                tally.removed += tables.leave(connection, root)
            return True
        return self._maker.take(root, labels[0], tally, until)

    def _model(self, manifest: str, tally: Tally) -> None:
        about = self._beside.model(manifest)
        with self._index.write() as connection:
            if about is None:
                tally.removed += tables.leave(connection, manifest)
                return
            entry = self._maker.of_model(connection, manifest, about)
            (document,) = tables.put(connection, [entry])
            tables.join(connection, manifest, "", document)
            tally.documents += 1

    def _said(self, subject: str, tally: Tally) -> None:
        if self._maker.again(subject):
            tally.documents += 1


def _want(connection: sqlite3.Connection, subject: str, kind: str) -> None:
    connection.execute("INSERT OR IGNORE INTO work VALUES (?, ?)", (subject, kind))
