"""Taking old versions off names: never one that is a name's newest, that an alias means, or that somebody needs."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from time import time

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Invalid, NotFound
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.core.units import parse_duration
from ipfs_accel_cli.services.model import lineage, tables
from ipfs_accel_cli.services.model.content import Store
from ipfs_accel_cli.services.model.derived import DERIVED, object_of
from ipfs_accel_cli.services.model.lookup import Lookup
from ipfs_accel_cli.services.model.prune_results import Pruned, PrunedVersion, SparedVersion
from ipfs_accel_cli.services.model.pull import clear_abandoned
from ipfs_accel_cli.services.model.results import Cleaned
from ipfs_accel_cli.services.model.status import UNKNOWN, Watch
from ipfs_accel_cli.services.model.tables import Named
from ipfs_accel_cli.services.model.using import mapped


def old(versions: Iterable[Named], keep: int, before: str | None) -> list[Named]:
    """Return the versions that are none of the `keep` newest of their name and were made before a time."""
    seen: dict[str, int] = defaultdict(int)
    found: list[Named] = []
    for one in sorted(versions, key=lambda one: (one.name, -one.version)):
        seen[one.name] += 1
        if seen[one.name] > max(keep, 1) and (before is None or one.created_at < before):
            found.append(one)
    return found


def guarded(
    versions: Collection[Named],
    candidates: Collection[Named],
    reasons: Mapping[str, str],
    bases: Callable[[Named], Iterable[str]],
) -> dict[str, str]:
    """Return why manifests stay: the given reasons, and being the base of a version that stays, over any steps."""
    found = dict(reasons)
    waiting = [one for one in versions if one not in candidates or one.manifest in found]
    followed: set[str] = set()
    by_manifest = defaultdict(list)
    for one in versions:
        by_manifest[one.manifest].append(one)
    while waiting:
        one = waiting.pop()
        if one.manifest in followed:
            continue
        followed.add(one.manifest)
        for base in bases(one):
            found.setdefault(base, f"{one.name}@{one.version} builds on it")
            waiting += by_manifest[base]
    return found


@dataclass(frozen=True, slots=True)
class Pruner:
    """Prunes the models of one home."""

    home: Home
    store: Store
    registry: tables.Tables
    lookup: Lookup
    watch: Watch
    gc: Callable[[], Cleaned]
    served: Callable[[], Mapping[str, str]]  # A deployment for each manifest that one serves.

    def prune(
        self,
        names: Sequence[str] = (),
        keep: int = 1,
        older_than: str | None = None,
        *,
        dry_run: bool = False,
        collect: bool = False,
    ) -> Pruned:
        """Take old versions off, of all names if none is given, and then also the downloads that nobody works on.

        All versions go in one transaction or none does; the bytes stay until gc, which `collect` runs. Raises
        NotFound for what is no name, and Invalid.
        """
        if dry_run and collect:
            raise Invalid("a dry run deletes nothing, so there is nothing to collect", suggestion="leave out --gc")
        since = time() - parse_duration(older_than) if older_than is not None else None
        before = _written(since) if since is not None else None
        versions = self.registry.names()
        self._check_names(names, versions)
        candidates = [one for one in old(versions, keep, before) if not names or one.name in names]
        reasons, note = self._reasons(candidates) if candidates else ({}, None)
        stay = guarded(versions, set(candidates), reasons, self._bases) if candidates else {}
        doomed = [one for one in candidates if one.manifest not in stay]
        released: list[str] = []
        rows = self._rows(doomed, versions)
        if doomed and not dry_run:
            gone, released = self._take_off(doomed, keep)
            rows = [one for one in rows if (one.name, one.version) in gone]
        partial_bytes, partial = clear_abandoned(self.home, dry_run=dry_run, before=since) if not names else (0, 0)
        freed = self.gc().freed_bytes if collect else 0
        return Pruned(
            dry_run=dry_run,
            versions=rows,
            spared=[_spared(one, stay[one.manifest]) for one in candidates if one.manifest in stay],
            released_manifests=released,
            partial_downloads=partial,
            partial_bytes=partial_bytes,
            reclaimable_bytes=self.store.gc(dry_run=True).freed_bytes
            + (sum(one.frees_bytes for one in rows) if dry_run else 0),
            freed_bytes=freed,
            note=note,
        )

    def _check_names(self, names: Sequence[str], versions: Sequence[Named]) -> None:
        known = {one.name for one in versions}
        for name in names:
            if name not in known:
                meant = self.lookup.find(name)
                raise NotFound(
                    f"{name!r} is no name, but means {meant.name}", suggestion=f"ipfs-accel model prune {meant.name}"
                )

    def _reasons(self, candidates: Collection[Named]) -> tuple[dict[str, str], str | None]:
        """Return why manifests stay: aliases, deployments and use of this home; and what cannot be seen."""
        found = {manifest: f"the alias {alias} means it" for alias, manifest in self.registry.aliases().items()}
        for manifest, deployment in self.served().items():
            found.setdefault(manifest, f"the deployment {deployment} serves it")
        for one in self.watch.loaded():
            found.setdefault(one.manifest, "it is loaded in this process")
        others = mapped(self.home)
        for manifest in {one.manifest for one in candidates} if others else ():
            content = self._content(manifest)
            user = next((other for other in others or () if not other.objects.isdisjoint(content)), None)
            if user is not None:
                found.setdefault(manifest, f"process {user.pid} ({user.program}) uses its files")
        return found, UNKNOWN if others is None else None

    def _bases(self, one: Named) -> list[str]:
        current().check()
        try:
            return lineage.bases_here(self.lookup, self.lookup.describe(one))
        except NotFound:
            return []

    def _take_off(self, doomed: Sequence[Named], keep: int) -> tuple[set[tuple[str, int]], list[str]]:
        """Take versions off in one transaction, but none that somebody came to need meanwhile."""
        gone: set[tuple[str, int]] = set()
        with self.registry.write() as connection:
            for one in doomed:
                if _still_old(connection, one, keep):
                    tables.remove(connection, "name", one.name, one.version)
                    gone.add((one.name, one.version))
            released = tables.release_nameless(connection)
            for manifest in released:
                self.store.release(connection, tables.OWNER, manifest)
        return gone, released

    def _rows(self, doomed: Sequence[Named], versions: Sequence[Named]) -> list[PrunedVersion]:
        leaving = {(one.name, one.version) for one in doomed}
        held: set[str] = set()
        if doomed:
            for manifest in {one.manifest for one in versions if (one.name, one.version) not in leaving}:
                held.update(self._content(manifest))
        rows: list[PrunedVersion] = []
        for one in doomed:
            content = self._content(one.manifest)
            rows.append(
                PrunedVersion(
                    name=one.name,
                    version=one.version,
                    manifest_cid=one.manifest,
                    created_at=one.created_at,
                    size_bytes=self._size(one.manifest),
                    frees_bytes=sum(size for key, size in content.items() if key not in held),
                )
            )
            held.update(content)
        return rows

    def _size(self, manifest: str) -> int:
        row = self.registry.model(manifest)
        return int(row["size_bytes"]) if row is not None else 0

    def _content(self, manifest: str) -> dict[str, int]:
        """Return the bytes of a model's files, and of what was made of it, by their sha-256 in hex."""
        named = self.registry.names_of(manifest)
        try:
            known = self.lookup.describe(named[0])
        except (IndexError, NotFound):
            return {}
        content = {entry.sha256.hex(): entry.size_bytes for entry in known.manifest.files}
        for kind, _, body in known.statements:
            made, size_bytes = object_of(body), body.get("size_bytes")
            if kind == DERIVED and made is not None and isinstance(size_bytes, int):
                with suppress(NotFound):
                    content[self.store.sha256(made).hex()] = size_bytes
        return content


def _still_old(connection: sqlite3.Connection, one: Named, keep: int) -> bool:
    query = """
        SELECT (SELECT count(*) FROM names WHERE name = :name AND version > :version) >= :keep
            AND EXISTS (SELECT 1 FROM names WHERE name = :name AND version = :version AND manifest = :manifest)
            AND NOT EXISTS (SELECT 1 FROM aliases WHERE manifest = :manifest)
            AND NOT EXISTS (SELECT 1 FROM deployments WHERE manifest = :manifest)
    """
    values = {"name": one.name, "version": one.version, "manifest": one.manifest, "keep": max(keep, 1)}
    return bool(connection.execute(query, values).fetchone()[0])


def _spared(one: Named, reason: str) -> SparedVersion:
    return SparedVersion(name=one.name, version=one.version, manifest_cid=one.manifest, reason=reason)


def _written(seconds: float) -> str:
    """Return a time as the registry writes it, so that both compare as text."""
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise Invalid("that is longer ago than any model") from error
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
