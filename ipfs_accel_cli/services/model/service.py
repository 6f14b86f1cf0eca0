"""The registry of models: pulled or added, named, described, checked, taken off, handed on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.errors import Conflict, NotFound
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.engines.base import Loadable
from ipfs_accel_cli.services.model import exporting, listing, results, tables
from ipfs_accel_cli.services.model.beside import Beside
from ipfs_accel_cli.services.model.content import Store
from ipfs_accel_cli.services.model.contents import Contents
from ipfs_accel_cli.services.model.derived import Derived
from ipfs_accel_cli.services.model.health import Health
from ipfs_accel_cli.services.model.history import History
from ipfs_accel_cli.services.model.importing import Importer
from ipfs_accel_cli.services.model.loadable import of_known
from ipfs_accel_cli.services.model.lookup import Known, Lookup
from ipfs_accel_cli.services.model.materialise import Folders
from ipfs_accel_cli.services.model.meta import Notes
from ipfs_accel_cli.services.model.pull import Outcome, Puller, clear_abandoned
from ipfs_accel_cli.services.model.rows import rows
from ipfs_accel_cli.services.model.selection import Selection
from ipfs_accel_cli.services.model.status import Watch
from ipfs_accel_cli.services.model.suiting import Suiting
from ipfs_accel_cli.services.model.views import expected, shown
from ipfs_accel_cli.sources.reference import NAMED, Reference, check_name, of_path, parse, stating

if TYPE_CHECKING:
    from ipfs_accel_cli.services.model.deploy.service import Deploys
    from ipfs_accel_cli.services.model.evaluating.comparing import Comparing
    from ipfs_accel_cli.services.model.evaluating.perf import Perf
    from ipfs_accel_cli.services.model.evaluating.service import Evaluations
    from ipfs_accel_cli.services.model.pruning import Pruner
    from ipfs_accel_cli.services.model.pushing import Pusher
    from ipfs_accel_cli.services.model.quantizing import Quantizer
    from ipfs_accel_cli.services.model.signing.service import Signatures
    from ipfs_accel_cli.services.model.signing.trust import Trust


class Models:
    """The models of one home. Safe to share between threads.

    `derived` is what was made of them, `contents` looks into their files, `health` checks and mends them,
    `watch` tells their state, `history` the versions of their names, `signatures` who vouches for them, `deploys`
    how they are served, `evaluations` how good they are, `perf` what was measured; `comparing` puts two side by side,
    `quantizer` makes smaller ones of them.
    """

    def __init__(self, home: Home, database: Database, store: Store, beside: Beside) -> None:
        self._home, self._store = home, store
        self._registry = tables.Tables(database)
        self._lookup = Lookup(store, self._registry)
        self._folders = Folders(home, store)
        self.derived = Derived(home, store, self._registry)
        self.contents = Contents(store, self._lookup)
        self.history = History(self._registry, self._lookup)
        self.health = Health(home, store, self._registry, self._lookup)
        self.watch = Watch(home, store, self._registry, self._lookup, beside.loaded)
        self.notes = Notes(database, self._lookup)
        self._database, self._beside = database, beside
        self._puller = Puller(home, store, self._registry)
        self.imports = Importer(store, self._registry)

    # What follows is many modules, which most commands have no use for.
    @cached_property
    def trust(self) -> Trust:
        from ipfs_accel_cli.services.model.signing.trust import Trust

        return Trust(self._database, self._beside.keys)

    @cached_property
    def signatures(self) -> Signatures:
        from ipfs_accel_cli.services.model.signing.service import Signatures

        return Signatures(
            *(self._store, self._registry, self._lookup, self.trust),
            lambda manifest: self.evaluations.kept.statements(manifest),
        )

    @cached_property
    def deploys(self) -> Deploys:
        from ipfs_accel_cli.services.model.deploy.service import Deploys

        return Deploys(self._home, self._store, self._database, self._lookup, self._folders, self._beside.fit)

    @cached_property
    def pruner(self) -> Pruner:
        from ipfs_accel_cli.services.model.pruning import Pruner

        served = self.deploys.served
        return Pruner(self._home, self._store, self._registry, self._lookup, self.watch, self.gc, served)

    @cached_property
    def pushes(self) -> Pusher:
        from ipfs_accel_cli.services.model.pushing import Pusher

        return Pusher(self._home, self._store, self._registry, self._lookup)

    @cached_property
    def quantizer(self) -> Quantizer:
        from ipfs_accel_cli.services.model.quantizing import Quantizer

        return Quantizer(self._home, self._store, self._registry, self._lookup, self._folders)

    @cached_property
    def evaluations(self) -> Evaluations:
        from ipfs_accel_cli.services.model.evaluating.kept import Kept
        from ipfs_accel_cli.services.model.evaluating.service import Evaluations

        return Evaluations(self._store, self._registry, self._lookup, Kept(self._database), self._beside.opened)

    @cached_property
    def perf(self) -> Perf:
        from ipfs_accel_cli.services.model.evaluating.perf import Perf

        return Perf(
            self._registry,
            self._lookup,
            self.evaluations.kept,
            self._beside.speeds,
            lambda known: self._folders.folder(known.manifest),
        )

    @cached_property
    def comparing(self) -> Comparing:
        from ipfs_accel_cli.services.model.evaluating.comparing import Comparing

        return Comparing(self.evaluations, self.perf)

    def pull(
        self,
        reference: str,
        name: str | None = None,
        include: Sequence[str] | None = None,
        exclude: Sequence[str] | None = None,
        *,
        sha256: str | None = None,
        size_bytes: int | None = None,
        dry_run: bool = False,
    ) -> results.Pulled:
        """Fetch a model unless it is here, verify every byte, and register it under its content address.

        With `dry_run` nothing is fetched but the list of its files, and nothing is kept.

        Raises NotFound, Invalid, VerificationFailed, MalformedContent, UnsafeContent, DiskFull, TryAgain, Unavailable,
        NotAuthorised, Offline and HomeUnusable; whatever was fetched is kept for the next try, nothing is registered.
        """
        wanted = stating(parse(reference), sha256, size_bytes)
        if wanted.scheme == NAMED:
            named = self._lookup.find(reference)
            return self._pulled(Outcome(named, named.reference), dry_run=dry_run)
        if _is_car(wanted):
            wanted = replace(wanted, scheme="car")
        chosen = check_name(name or wanted.short_name)
        if chosen in self._registry.aliases():
            raise Conflict(
                f"{chosen!r} is an alias already; give --name, or take the alias off",
                suggestion=f"ipfs-accel model rm {chosen}",
            )
        selection = Selection.of(include, exclude)
        try:
            if dry_run:
                seen = self._puller.outlook(wanted, selection)
                return self._pulled(seen, dry_run=True) if isinstance(seen, Outcome) else expected(seen, chosen)
            return self._pulled(self._puller.pull(wanted, chosen, selection))
        except NotFound as error:
            raise self._lookup.with_near_references(error, wanted) from error

    def add(self, path: str | Path, name: str | None = None) -> results.Pulled:
        """Register the model in a folder, a file, or a CAR that `export` wrote; raises what `pull` raises."""
        return self.pull(str(of_path(path)), name)

    def ls(
        self, text: str = "", *, where: str | None = None, sort: str | None = None, columns: str | None = None
    ) -> results.Models:
        """List the names whose name, alias, task, architecture, licence or reference holds a text.

        `where` is a filter (`core/filters.py`), `sort` and `columns` name fields. Raises Invalid where they do not.
        """
        found = rows(self._registry, self._lookup, self.notes.all())
        return listing.chosen(found, text, where=where, sort=sort, columns=columns)

    def show(self, name: str) -> results.Shown:
        """Return all that is known of a model; raises NotFound, which names what is spelled alike."""
        known = self._known(name)
        return shown(known, self._registry.aliases(), self.notes.all().get(known.named.manifest, {}))

    def remove(self, names: Sequence[str]) -> results.Removed:
        """Take names, single versions (`name@2`) or aliases off; a model without a name is released to gc.

        Raises NotFound when one does not exist, Conflict when a deployment serves a model that would have no name left,
        and then takes none off.
        """
        deploys = self.deploys
        doomed = [self._doomed(name) for name in names]
        with self._registry.write() as connection:
            for kind, name, version in doomed:
                tables.remove(connection, kind, name, version)
            released = tables.release_nameless(connection)
            deploys.check_unserved(connection, released)
            for manifest in released:
                self._store.release(connection, tables.OWNER, manifest)
        return results.Removed(names=list(names), released_manifests=released)

    def verify(self, name: str, *, full: bool = False) -> results.Verified:
        """Hash every block of a model again; raises as `health.verify`."""
        return self.health.verify(name, full=full)

    def tag(self, name: str, alias: str) -> results.Tagged:
        """Let an alias mean a model, or move it there; raises NotFound, and Conflict when it is a name already."""
        named = self._lookup.find(name)
        if self._registry.named(check_name(alias)):
            raise Conflict(f"{alias!r} is a model's name already", suggestion=f"ipfs-accel model show {alias}")
        with self._registry.write() as connection:
            tables.add_alias(connection, alias, named.manifest)
        return results.Tagged(alias=alias, name=named.name, version=named.version, manifest_cid=named.manifest)

    def gc(self, *, dry_run: bool = False) -> results.Cleaned:
        """Delete what no model, root or running command needs: content, interrupted downloads, folders of links."""
        partial_bytes, partial_downloads = clear_abandoned(self._home, dry_run=dry_run)
        if not dry_run:
            self._folders.forget(keep=set(self._registry.manifests()) | self.deploys.manifests())
        collected = self._store.gc(dry_run=dry_run)
        return results.Cleaned(
            dry_run=dry_run,
            freed_bytes=collected.freed_bytes + partial_bytes,
            objects=collected.objects,
            blocks=collected.blocks,
            partial_downloads=partial_downloads,
        )

    def export(self, name: str, output: str | Path, layout: str | None = None) -> results.Exported:
        """Write a model to a CAR file, or into a folder in a layout that others read; raises as `exporting.export`."""
        return exporting.export(self._store, self._known(name), current().path(output), layout)

    def find(self, name: str | None, task: str) -> Loadable:
        """Return a model for a task, ready to load: the named one, or else the default for the task.

        The default is the catalogue's if it is here, else the model registered last that can do the task. Raises
        NotFound, whose suggestion is the command that brings one.
        """
        known = self._known(name) if name else self.suiting.default(task)
        return of_known(known, self._folders.folder(known.manifest))

    def folder(self, name: str) -> Path:
        """Return the folder with a model's verified files; raises NotFound."""
        return self._folders.folder(self._known(name).manifest)

    @property
    def suiting(self) -> Suiting:
        """Which models can do what, those of the catalogue among them."""
        return Suiting(self._registry, self._lookup)

    def _known(self, name: str) -> Known:
        return self._lookup.describe(self._lookup.find(name))

    def _doomed(self, name: str) -> tuple[str, str, int | None]:
        if name in self._registry.aliases():
            return "alias", name, None
        reference = parse(name)
        version = int(reference.revision) if reference.scheme == NAMED and reference.revision else None
        if reference.scheme != NAMED or self._registry.named(reference.locator, version) is None:
            meant = self._lookup.find(name)
            raise NotFound(
                f"{name!r} is no name, but means {meant.name}", suggestion=f"ipfs-accel model rm {meant.name}"
            )
        return "name", reference.locator, version

    def _pulled(self, outcome: Outcome, *, dry_run: bool = False) -> results.Pulled:
        known = self._lookup.describe(outcome.named)
        return results.Pulled(
            name=outcome.named.name,
            version=outcome.named.version,
            manifest_cid=outcome.named.manifest,
            root_cid=str(known.manifest.root),
            reference=outcome.named.reference,
            revision=outcome.revision,
            tasks=list(known.facts.tasks),
            licence=known.licence,
            files=len(known.manifest.files),
            size_bytes=known.manifest.size_bytes,
            fetched_bytes=outcome.transferred_bytes,
            new=outcome.new,
            dry_run=dry_run,
        )


def _is_car(reference: Reference) -> bool:
    return reference.scheme == "file" and reference.locator.endswith(".car") and Path(reference.locator).is_file()
