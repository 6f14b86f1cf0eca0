"""Syncing as the command uses it: one way, by CID, with one listing of each place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.errors import ContentError
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.errors import (
    AccelError,
    Cancelled,
    Conflict,
    Invalid,
    NotAuthorised,
    Offline,
    SomeFailed,
    classified,
)
from ipfs_accel_cli.core.listing import chosen
from ipfs_accel_cli.services.store.backends.copies import HERE
from ipfs_accel_cli.services.store.backends.exchange import Exchange
from ipfs_accel_cli.services.store.backends.fetching import FETCHING
from ipfs_accel_cli.services.store.backends.placed import place_of
from ipfs_accel_cli.services.store.describing import list_roots
from ipfs_accel_cli.services.store.putting import USER
from ipfs_accel_cli.services.store.reading import Reader
from ipfs_accel_cli.services.store.roots import DIRECT, METADATA, PINS, TRANSIT, release
from ipfs_accel_cli.services.store.syncing.results import Action, Synced
from ipfs_accel_cli.services.store.syncing.sides import Sides

Remove = Callable[[Sequence[str | CID], str | None], Any]
_NOT_CONTENT = (FETCHING, TRANSIT, METADATA)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One sync: from where to where, what of it, and how."""

    source: str
    destination: str
    path: str = ""
    delete: bool = False
    dry_run: bool = False
    force: bool = False
    keep: bool = False
    pinned: bool = False
    where: str | None = None

    @property
    def passing(self) -> bool:
        """Say whether content is here only on its way."""
        return HERE not in (self.source, self.destination) and not self.keep

    @property
    def label(self) -> str:
        """Return the name under which content that only passes through is kept meanwhile."""
        return f"{self.source}: {self.destination}:"


@dataclass(frozen=True, slots=True)
class Syncing:
    """Syncs places; `remove` deletes a DAG at a place, or here, where nothing forbids it."""

    reader: Reader
    database: Database
    exchange: Exchange
    remove: Remove

    def sync(
        self,
        source: str,
        destination: str,
        *,
        delete: bool = False,
        dry_run: bool = False,
        force: bool = False,
        keep: bool = False,
        pinned: bool = False,
        where: str | None = None,
    ) -> Iterator[Synced]:
        """Bring what one place has to another; `here:` is this store. Yields what was done for each DAG.

        Raises Invalid for what are no two places, UnsupportedContent for a place without a list of what it has,
        Conflict where `delete` would leave nothing, and SomeFailed in the end.
        """
        (origin, strange), (target, path) = place_of(source), place_of(destination)
        if strange or (path and target == HERE):
            raise Invalid("only the backend that content goes to takes a path")
        if origin == target:
            raise Invalid(f"{source} and {destination} are one place")
        if path and delete:
            raise Invalid("--delete looks at all that a place has: leave the path out")
        if (pinned or where is not None) and origin != HERE:
            raise Invalid("what is chosen with --pinned or --filter is chosen among what is here: sync from here:")
        if delete and not current().principal.may("store:delete"):
            raise NotAuthorised("to delete content is not among what you may do")
        wanted = Wanted(origin, target, path, delete, dry_run, force, keep, pinned, where)
        for name in {origin, target} - {HERE}:
            self.exchange.open(name)
        return self._run(wanted)

    def own_roots(self) -> Iterator[tuple[CID, int | None]]:
        """Yield the root of every DAG that is kept here, once for each keeper, and its bytes."""
        for row in self.reader.index.roots():
            if row["owner"] not in _NOT_CONTENT and row["kind"] != DIRECT:
                cid = CID.parse(row["cid"])
                yield cid, self.size_of(cid)

    def size_of(self, cid: CID) -> int | None:
        """Return the bytes of a DAG's blocks, or of its files where only a copy is known; None where nothing is."""
        try:
            return self.reader.look(cid).total_bytes
        except (AccelError, ContentError):
            known = next((one for one in self.exchange.copies.of(cid) if one.whole_dag), None)
            return None if known is None else known.size_bytes

    def let_go(self, label: str, cid: CID | None = None) -> None:
        """Leave what only passed through to the next gc, also what a run before this one left behind."""
        self.reader.index.connection()
        with self.database.write() as connection:
            release(connection, TRANSIT, label, cid)

    def _run(self, wanted: Wanted) -> Iterator[Synced]:
        failed: list[dict[str, str]] = []
        with Sides() as sides:
            self._list(sides, wanted)
            count = sides.count("chosen")
            if wanted.delete and not sides.count("source") and not wanted.force:
                raise Conflict(
                    f"{wanted.source} has nothing, so all would go at {wanted.destination}; --force does it",
                    suggestion=f"ipfs-accel store sync {wanted.label} --delete --dry-run --force",
                )
            for done, (cid, there) in enumerate(sides.chosen()):
                current().check()
                current().progress(done, count, f"Syncing {wanted.source} to {wanted.destination}")
                yield _noted(failed, self._one(wanted, cid, there))
            spared = wanted.delete and bool(failed)
            if wanted.delete and not spared:
                for cid in sides.extra():
                    current().check()
                    if wanted.destination != HERE or self._is_users(cid):
                        yield _noted(failed, self._gone(wanted, cid))
        if wanted.passing and not wanted.dry_run:
            self.let_go(wanted.label)
        if failed:
            told = "; nothing was deleted" if spared else ""
            raise SomeFailed(f"{len(failed)} of the DAGs failed{told}", errors=failed)

    def _list(self, sides: Sides, wanted: Wanted) -> None:
        """Ask each place once what it has; whatever goes wrong here ends all of it before anything is done."""
        sides.fill("source", self._roots(wanted.source))
        narrowed = wanted.pinned or wanted.where is not None
        if narrowed:
            sides.fill("chosen", self._chosen(wanted))
        else:
            sides.choose_all()
        sides.fill("destination", self._roots(wanted.destination))

    def _roots(self, place: str) -> Iterator[CID]:
        if place != HERE:
            yield from self.exchange.roots(place)
            return
        yield from (cid for cid, _ in self.own_roots())

    def _chosen(self, wanted: Wanted) -> Iterator[CID]:
        found = list_roots(self.reader)
        if wanted.where is not None:
            found = chosen(found, where=wanted.where)
        for entry in found.entries:
            if entry.owner not in _NOT_CONTENT and entry.kind != DIRECT and (not wanted.pinned or entry.owner == PINS):
                yield CID.parse(entry.cid)

    def _one(self, wanted: Wanted, cid: CID, there: bool) -> Synced:
        if there and (wanted.destination != HERE or self.exchange.fetching.is_whole(cid)):
            return self._told(wanted, cid, "present")
        if wanted.dry_run:
            return self._told(wanted, cid, "planned", "to copy")
        try:
            self._bring(wanted, cid)
        except Exception as error:
            return self._failure(wanted, cid, error)
        return self._told(wanted, cid, "copied")

    def _bring(self, wanted: Wanted, cid: CID) -> None:
        try:
            if wanted.source != HERE:
                self.exchange.fetch(cid, wanted.source, (TRANSIT, wanted.label) if wanted.passing else None)
            if wanted.destination != HERE:
                place = f"{wanted.destination}:{wanted.path}/{cid}" if wanted.path else f"{wanted.destination}:"
                list(self.exchange.copy(cid, [place]))
        except AccelError as error:
            if wanted.passing and not error.retryable:
                # What came of it would wait for the rest, which does not come.
                with self.database.write() as connection:
                    release(connection, FETCHING, str(cid))
            raise
        finally:
            if wanted.passing:
                self.let_go(wanted.label, cid)

    def _gone(self, wanted: Wanted, cid: CID) -> Synced:
        if wanted.dry_run:
            return self._told(wanted, cid, "planned", "to delete")
        told = self._told(wanted, cid, "deleted")  # Afterwards nobody knows its size.
        try:
            self.remove([cid], None if wanted.destination == HERE else wanted.destination)
        except Exception as error:
            return self._failure(wanted, cid, error)
        return told

    def _failure(self, wanted: Wanted, cid: CID, error: Exception) -> Synced:
        known = classified(error)
        if known is None or isinstance(known, Cancelled | Offline):
            raise error
        return self._told(wanted, cid, "failed", known.detail)

    def _told(self, wanted: Wanted, cid: CID, action: Action, detail: str = "") -> Synced:
        return Synced(cid=str(cid), action=action, size_bytes=self.size_of(cid), detail=detail)

    def _is_users(self, cid: CID) -> bool:
        """Say whether `store rm` could let go of it: what is pinned, or a model's, is not ours to delete."""
        return any(row["owner"] == USER for row in self.reader.index.roots(cid))


def _noted(failed: list[dict[str, str]], row: Synced) -> Synced:
    if row.action == "failed":
        failed.append({"pointer": row.cid, "detail": row.detail})
    return row
