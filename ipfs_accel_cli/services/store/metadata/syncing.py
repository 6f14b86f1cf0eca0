"""Syncing sidecars with a backend: versions of both places are joined, and none is ever replaced."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from ipfs_accel_cli.backends.base import Backend
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import AccelError, Cancelled, Conflict, NotFound, Offline, SomeFailed
from ipfs_accel_cli.services.store.metadata.history import ancestors, changes, heads, join, oldest_first
from ipfs_accel_cli.services.store.metadata.merging import ABSENT, UNKNOWN, Change, Side
from ipfs_accel_cli.services.store.metadata.results import SidecarSynced
from ipfs_accel_cli.services.store.metadata.shelf import Shelf
from ipfs_accel_cli.services.store.metadata.table import Table

_SHOWN = 60


class Meeting:
    """One sidecar, here and at a backend; `there` are its versions where they were listed already."""

    def __init__(self, table: Table, backend: Backend, subject: CID, there: Sequence[CID] | None = None) -> None:
        self._table = table
        self._subject = subject
        self._name = backend.name
        self._shelf = Shelf(backend)
        self._there = list(self._shelf.versions(subject) if there is None else there)
        head = table.head(subject)
        self._ours = None if head is None else head.version
        history = table.history(subject)
        self._fetched = {cid: self._shelf.read(subject, cid) for cid in self._there if cid not in history}
        self._history = history | self._fetched
        self._theirs = heads({cid: self._history[cid] for cid in self._there})
        if self._ours is None and not self._theirs:
            raise NotFound(
                f"nothing is said about {subject}, neither here nor at {self._name}",
                suggestion=f"ipfs-accel store meta set {subject} KEY=VALUE",
            )

    def changes(self) -> Iterator[tuple[CID | None, Change]]:
        """Yield each key that differs, with the version there that has it."""
        several: list[CID | None] = [*self._theirs] or [None]
        for head in several:
            for change in changes(self._history, self._ours, head):
                yield head, change

    def sync(self, prefer: Side | None) -> SidecarSynced:
        """Join both sides, keep the result here, then bring there what it lacks; raises Conflict."""
        joined = join(self._history, self._ours, self._theirs, prefer)
        if joined.conflicts or joined.head is None:
            raise self._conflict(joined.conflicts)
        if joined.head != self._ours or self._fetched:
            self._table.keep(self._subject, self._fetched | joined.made, joined.head, self._ours)
        history = self._history | joined.made
        lacking = ancestors(history, joined.head).intersection(history).difference(self._there)
        # Parents first: whoever lists meanwhile never sees a version without those that it came from.
        self._shelf.write(self._subject, [history[cid] for cid in oldest_first(history, lacking)])
        return SidecarSynced(
            cid=str(self._subject),
            backend=self._name,
            version=str(joined.head),
            fetched=len(self._fetched),
            sent=len(lacking),
            merged=bool(joined.made),
        )

    def _conflict(self, conflicts: Sequence[Change]) -> Conflict:
        keys = sorted({change.key for change in conflicts})
        return Conflict(
            f"both this store and {self._name} changed {', '.join(keys)} of {self._subject}; nothing was changed."
            " --ours or --theirs decides",
            errors=[{"pointer": change.key, "detail": _sides(change)} for change in conflicts],
            suggestion=f"ipfs-accel store meta diff {self._subject} --on {self._name}",
        )


def sync_all(table: Table, backend: Backend, prefer: Side | None) -> Iterator[SidecarSynced]:
    """Sync all sidecars of both places; one that fails does not stop the others. Raises SomeFailed."""
    there = dict(Shelf(backend).all())
    subjects = list(dict.fromkeys([*(head.subject for head in table.heads()), *there]))
    failed: list[dict[str, str]] = []
    for done, subject in enumerate(subjects):
        current().check()
        current().progress(done, len(subjects), f"Syncing metadata with {backend.name}")
        try:
            yield Meeting(table, backend, subject, there.get(subject, [])).sync(prefer)
        except (Cancelled, Offline):
            raise
        except AccelError as error:
            failed.append({"pointer": str(subject), "detail": error.detail})
    if failed:
        raise SomeFailed(
            f"{len(failed)} of {len(subjects)} sidecars were not synced with {backend.name}",
            errors=failed,
            suggestion=f"ipfs-accel store meta diff CID --on {backend.name}",
        )


def _sides(change: Change) -> str:
    return f"here {_short(change.ours)}, there {_short(change.theirs)}, before {_short(change.base)}"


def _short(value: Any) -> str:
    if value is ABSENT:
        return "nothing"
    if value is UNKNOWN:
        return "unknown"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
