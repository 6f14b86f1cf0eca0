"""The service behind `model deploy`: makes versions of deployments, shows, compares, renders and removes them."""

from __future__ import annotations

import difflib
import re
import sqlite3
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.errors import Conflict, DoesNotFit, Invalid, NotFound
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.services.model.content import Root, Store
from ipfs_accel_cli.services.model.deploy import comparing, tables, writing
from ipfs_accel_cli.services.model.deploy.choosing import Choosing
from ipfs_accel_cli.services.model.deploy.config import Deployment
from ipfs_accel_cli.services.model.deploy.results import (
    Deployed,
    DeploymentDifference,
    DeploymentRow,
    Deployments,
    DeploymentVersion,
    Estimate,
    RemovedDeployments,
    Rendered,
    ShownDeployment,
    Target,
)
from ipfs_accel_cli.services.model.deploy.tables import Kept
from ipfs_accel_cli.services.model.lookup import Lookup, load_manifest
from ipfs_accel_cli.services.model.materialise import Folders

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")
_KIND = "deployment"
_TRIES = 20

Fit = Callable[[Path, Deployment], Estimate]


class _MovedError(Exception):
    """Another process made a version of the name meanwhile."""


@dataclass(frozen=True, slots=True)
class Deploys:
    """The deployments of one home. Versions are only ever added; the newest is what a name means."""

    home: Home
    store: Store
    database: Database
    lookup: Lookup
    folders: Folders
    fit: Fit

    def __post_init__(self) -> None:
        # Whoever asks inside a transaction finds the table.
        tables.Table(self.database)

    @property
    def _choosing(self) -> Choosing:
        return Choosing(self.store, self.lookup)

    @property
    def _table(self) -> tables.Table:
        return tables.Table(self.database)

    def new(
        self,
        name: str,
        model: str | None = None,
        file: str | Path | None = None,
        assignments: Sequence[str] = (),
        *,
        require_fit: bool = False,
    ) -> Deployed:
        """Make the next version of a deployment: a file's settings, else the present version's, and what is assigned.

        A configuration that the name has already makes no version. Raises Invalid for a setting that is wrong,
        NotFound for a model that is not here, DoesNotFit with `require_fit`, Conflict when others keep changing it, and
        NotAuthorised for a setting that only the owner changes.
        """
        if not _NAME.fullmatch(name):
            raise Invalid(
                f"{name!r} is no name of a deployment: 1 to 64 of a-z, 0-9, dot, dash and underscore, no mark at an end"
            )
        for _ in range(_TRIES):
            current().check()
            before = next(iter(self._table.versions(name)), None)
            chosen = self._choosing.chosen(name, self._read(before) if before else None, model, file, assignments)
            estimate = self._estimate(chosen)
            if require_fit and not estimate.fits:
                raise DoesNotFit(f"{chosen.model}: {estimate.verdict}", suggestion=f"ipfs-accel hw plan {chosen.model}")
            try:
                kept = self._keep(name, chosen, before)
            except _MovedError:
                continue
            return _deployed(kept, chosen, unchanged=before == kept, fit=estimate)
        raise Conflict(f"others keep changing {name}", suggestion="run the command again")

    def ls(self) -> Deployments:
        """Return all deployments as they are now."""
        every = self._table.all()
        first = {one.name: one for one in reversed(every)}
        rows = []
        for name, one in sorted(first.items()):
            found = self._read(one)
            rows.append(
                DeploymentRow(
                    name=name,
                    version=one.version,
                    versions=sum(other.name == name for other in every),
                    model=found.model,
                    server=found.server,
                    address=found.address,
                    config_cid=one.cid,
                    manifest_cid=one.manifest,
                    created_at=one.created_at,
                )
            )
        return Deployments(deployments=rows)

    def show(self, reference: str) -> ShownDeployment:
        """Return one version with its settings; raises NotFound with near names."""
        one = self._find(reference)
        found = self._read(one)
        return ShownDeployment(
            name=one.name,
            version=one.version,
            config_cid=one.cid,
            created_at=one.created_at,
            model_named=bool(self.lookup.registry.names_of(one.manifest)),
            config=found,
            toml=found.toml().removesuffix("\n"),
            versions=[
                DeploymentVersion(
                    version=other.version,
                    model=self._read(other).model,
                    config_cid=other.cid,
                    created_at=other.created_at,
                )
                for other in self._table.versions(one.name)
            ],
        )

    def remove(self, references: Sequence[str]) -> RemovedDeployments:
        """Take deployments (`name`) or single versions (`name@2`) off, all of them or none; raises NotFound."""
        doomed: dict[tuple[str, int], Kept] = {}
        for reference in references:
            one = self._find(reference)
            for kept in [one] if "@" in reference else self._table.versions(one.name):
                doomed[kept.name, kept.version] = kept
        with self.database.write() as connection:
            for kept in doomed.values():
                if tables.remove(connection, kept):
                    self.store.release(connection, tables.OWNER, kept.cid)
        left = self.manifests()
        return RemovedDeployments(
            removed=[f"{name}@{version}" for name, version in doomed],
            released_manifests=sorted({kept.manifest for kept in doomed.values()} - left),
        )

    def render(
        self, reference: str, target: Target, output: str | Path | None = None, *, replace: bool = False
    ) -> Rendered:
        """Return the file for a target, written into the folder `output` where that is given; raises as `writing`."""
        one = self._find(reference)
        found = self._read(one)
        manifest = load_manifest(self.store, one.manifest)
        folder = self.folders.folder(manifest)
        if not folder.is_relative_to(self.home.path):
            # Links in a temporary folder would be gone when the server looks for them.
            raise self.home.unusable(PermissionError(f"{self.home.derived} is not writable"))
        # What covers the keys in a unit or a container must find their folder before any key lies in it.
        self.home.ensure("keys")
        files = {entry.path: self.store.object_path(entry.cid) for entry in manifest.files}
        plan = writing.plan(one.name, one.version, one.cid, found, self.home.path, folder, files)
        return writing.rendered(plan, target, output, replace=replace)

    def diff(self, before: str, after: str | None = None) -> DeploymentDifference:
        """Compare two versions, or a name's last two; raises NotFound, and Conflict where there is only one."""
        if after is None:
            versions = self._table.versions(self._find(before).name)
            if "@" in before or len(versions) < 2:
                raise Conflict(
                    f"{before} is one version; name two", suggestion=f"ipfs-accel model deploy show {before}"
                )
            old, new = versions[1], versions[0]
        else:
            old, new = self._find(before), self._find(after)
        manifests = load_manifest(self.store, old.manifest), load_manifest(self.store, new.manifest)
        return comparing.difference(old, new, self._read(old), self._read(new), *manifests)

    def manifests(self) -> set[str]:
        """Return what deployments serve: models that stay."""
        return set(self.served())

    def served(self) -> dict[str, str]:
        """Return a deployment (`name@version`) for each manifest that one serves."""
        return {one.manifest: one.title for one in self._table.all()}

    def check_unserved(self, connection: sqlite3.Connection, manifests: Collection[str]) -> None:
        """Raise Conflict, inside the caller's transaction, where a deployment serves one of the models."""
        found = [kept.title for kept in tables.serving(connection, manifests)]
        if found:
            raise Conflict(
                f"the deployment {found[0]} serves a model that would have no name left",
                suggestion=f"ipfs-accel model deploy rm {' '.join(found)}",
            )

    def names(self) -> list[str]:
        """Return the names, sorted."""
        return sorted({one.name for one in self._table.all()})

    def _keep(self, name: str, chosen: Deployment, before: Kept | None) -> Kept:
        """Store the configuration, let it keep its model, and make a version of it, all at once or not at all."""
        cid, data = chosen.encode()
        if before is not None and before.cid == str(cid):
            return before
        made: list[Kept] = []

        def also(connection: sqlite3.Connection) -> None:
            if tables.newest(connection, name) != before:
                raise _MovedError
            # It may have been taken off since it was looked up, and a file may name what never was a model here.
            if not tables.is_registered(connection, chosen.manifest):
                raise NotFound(
                    f"the model {chosen.model} ({chosen.manifest}) is not here", suggestion="ipfs-accel model ls"
                )
            made.append(tables.add(connection, name, str(cid), chosen.manifest))

        with self.store.session() as session:
            session.block(cid, data)
            # The configuration links to the manifest, so keeping the one keeps the other.
            session.commit([Root(cid, tables.OWNER, str(cid), _KIND)], also)
        return made[0]

    def _estimate(self, chosen: Deployment) -> Estimate:
        manifest = load_manifest(self.store, chosen.manifest)
        return self.fit(self.folders.folder(manifest), chosen)

    def _read(self, one: Kept) -> Deployment:
        return Deployment.decode(self.store.block(CID.parse(one.cid)))

    def _find(self, reference: str) -> Kept:
        name, at, version = reference.partition("@")
        versions = self._table.versions(name)
        if not versions:
            near = difflib.get_close_matches(name, self.names(), n=3, cutoff=0.5)
            told = f"; near names: {', '.join(near)}" if near else ""
            suggestion = f"ipfs-accel model deploy show {near[0]}" if near else "ipfs-accel model deploy ls"
            raise NotFound(f"no deployment named {name!r}{told}", suggestion=suggestion, near=near)
        found = next((one for one in versions if not at or str(one.version) == version), None)
        if found is None:
            raise NotFound(
                f"{name} has no version {version!r}; the newest is {versions[0].version}",
                suggestion=f"ipfs-accel model deploy show {name}",
            )
        return found


def _deployed(kept: Kept, chosen: Deployment, *, unchanged: bool, fit: Estimate) -> Deployed:
    return Deployed(
        name=kept.name,
        version=kept.version,
        unchanged=unchanged,
        config_cid=kept.cid,
        model=chosen.model,
        manifest_cid=kept.manifest,
        server=chosen.server,
        address=chosen.address,
        created_at=kept.created_at,
        fit=fit,
    )
