"""Metadata as the commands use it: got, set, listed, compared with a backend and synced."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ipfs_accel_cli.backends.base import Backend
from ipfs_accel_cli.content import strictjson
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.errors import ContentError
from ipfs_accel_cli.core import fields
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Invalid, NotFound
from ipfs_accel_cli.core.listing import chosen
from ipfs_accel_cli.services.store.metadata.merging import ABSENT, Change, Mark, Side
from ipfs_accel_cli.services.store.metadata.results import Sidecar, SidecarChange, Sidecars, SidecarSynced
from ipfs_accel_cli.services.store.metadata.syncing import Meeting, sync_all
from ipfs_accel_cli.services.store.metadata.table import Head, Table
from ipfs_accel_cli.services.store.metadata.version import MAX_BYTES, Version, checked_key
from ipfs_accel_cli.services.store.references import root_only
from ipfs_accel_cli.services.store.sources import open_regular


@dataclass(frozen=True, slots=True)
class Metadata:
    """The sidecars of one home."""

    table: Table
    open: Callable[[str], Backend]

    def get(self, cid: str | CID) -> Sidecar:
        """Return what is said about a CID; raises NotFound."""
        subject = root_only(cid)
        head = self.table.head(subject)
        if head is None:
            raise NotFound(f"nothing is said about {subject}", suggestion=f"ipfs-accel store meta set {subject} KEY=…")
        return self._shown(head)

    def set(self, cid: str | CID, assignments: Sequence[str] = (), file: str | Path | None = None) -> Sidecar:
        """Change entries: `KEY=VALUE`, where the value is JSON or else a text; `KEY=` removes.

        `file` is a JSON object with entries; assignments come after it. Raises Invalid, LimitReached, and Conflict
        where somebody else was first.
        """
        subject = root_only(cid).to_v1()
        head = self.table.head(subject)
        before = {} if head is None else dict(self.table.version(head.version, subject).entries)
        after = before | (_object(file) if file is not None else {})
        for key, value in map(_assigned, assignments):
            after.pop(key, None)
            if value is not ABSENT:
                after[key] = value
        if head is None and not after:
            raise NotFound(f"nothing is said about {subject}, and nothing would be")
        version = Version(subject, after, () if head is None else (head.version,))
        made, block = version.encode()
        if head is None or block != Version(subject, before, version.parents).encode()[1]:
            self.table.keep(subject, {made: version}, made, None if head is None else head.version)
        return self.get(subject)

    def list(self, *, where: str | None = None, sort: str | None = None, columns: str | None = None) -> Sidecars:
        """List what is said; `where` may ask for entries as `meta.KEY`."""
        found = [shown for head in self.table.heads() if (shown := self._shown(head)).meta]
        known = fields.with_entries(fields.of_result(Sidecar), "meta")
        return chosen(Sidecars(sidecars=found), where=where, sort=sort, columns=columns, known=known)

    def diff(self, cid: str | CID, on: str) -> Iterator[SidecarChange]:
        """Yield the keys at which a sidecar differs here and at a backend; raises NotFound where neither has one."""
        subject = root_only(cid).to_v1()
        for version, change in Meeting(self.table, self.open(on), subject).changes():
            yield _told(version, change)

    def sync(self, cid: str | CID, on: str, prefer: Side | None = None) -> SidecarSynced:
        """Bring a sidecar to the same version here and at a backend; what only one of them changed is taken.

        Where both did `prefer` decides; without it Conflict lists the keys, and nothing is changed. Raises NotFound
        where neither has one, UnsupportedContent for a backend that keeps no files.
        """
        return Meeting(self.table, self.open(on), root_only(cid).to_v1()).sync(prefer)

    def sync_all(self, on: str, prefer: Side | None = None) -> Iterator[SidecarSynced]:
        """Sync every sidecar that is here or there, from one listing; raises SomeFailed in the end."""
        return sync_all(self.table, self.open(on), prefer)

    def _shown(self, head: Head) -> Sidecar:
        version = self.table.version(head.version, head.subject)
        return Sidecar(
            cid=str(head.subject),
            meta=dict(version.entries),
            version=str(head.version),
            parents=[str(parent) for parent in version.parents],
            changed_at=head.changed_at,
        )


def _told(version: CID | None, change: Change) -> SidecarChange:
    sides: Mapping[str, Any] = {"base": change.base, "ours": change.ours, "theirs": change.theirs}
    return SidecarChange(
        key=change.key,
        changed=change.who,
        **{name: None if isinstance(value, Mark) else value for name, value in sides.items()},
        absent=[name for name, value in sides.items() if value is ABSENT],
        version=None if version is None else str(version),
    )


def _assigned(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals:
        raise Invalid(f"{text[:80]!r} is no KEY=VALUE; KEY= removes a key")
    checked_key(key)
    if not value:
        return key, ABSENT
    try:
        return key, strictjson.decode(value.encode(), MAX_BYTES)
    except (ContentError, UnicodeEncodeError):
        return key, value


def _object(file: str | Path) -> dict[str, Any]:
    path = current().path(file)
    with open_regular(path) as stream:
        data = stream.read(MAX_BYTES + 1)
    try:
        found = strictjson.decode(data, MAX_BYTES)
    except ContentError as error:
        raise Invalid(f"{path.name}: {error}") from error
    if not isinstance(found, dict):
        raise Invalid(f'{path.name} holds no JSON object: {{"key": value, …}}')
    return found
