"""Names over time: their versions, going back to one, what aliases mean, and where a model comes from."""

from __future__ import annotations

from dataclasses import dataclass

from ipfs_accel_cli.core.errors import Conflict, Invalid, NotFound
from ipfs_accel_cli.core.results import Blob
from ipfs_accel_cli.services.model import card, inspecting, lineage, tables
from ipfs_accel_cli.services.model.history_results import Aliases, AliasRow, RolledBack, Version, Versions
from ipfs_accel_cli.services.model.lineage import Language
from ipfs_accel_cli.services.model.lineage_results import Lineage
from ipfs_accel_cli.services.model.lookup import Lookup
from ipfs_accel_cli.services.model.subject import of_known
from ipfs_accel_cli.services.model.tables import Named
from ipfs_accel_cli.sources.reference import parse


@dataclass(frozen=True, slots=True)
class History:
    """The names of one home; versions are only ever added."""

    registry: tables.Tables
    lookup: Lookup

    def versions(self, name: str) -> Versions:
        """Return the versions of a name, the newest first; raises NotFound."""
        meant = self.lookup.find(name)
        found = self._versions(meant.name)
        aliases = self.registry.aliases()
        return Versions(
            name=meant.name,
            versions=[
                Version(
                    version=one.version,
                    current=one.version == found[0].version,
                    manifest_cid=one.manifest,
                    size_bytes=self._size(one.manifest),
                    aliases=[alias for alias, manifest in aliases.items() if manifest == one.manifest],
                    reference=one.reference,
                    created_at=one.created_at,
                )
                for one in found
            ],
        )

    def aliases(self) -> Aliases:
        """Return all aliases and what they mean."""
        rows: list[AliasRow] = []
        for alias, manifest in self.registry.aliases().items():
            names = self.registry.names_of(manifest)
            if names:
                rows.append(AliasRow(alias=alias, name=names[0].name, version=names[0].version, manifest_cid=manifest))
        return Aliases(aliases=rows)

    def rollback(self, name: str, to: int | None = None) -> RolledBack:
        """Let a name mean the model of an earlier version again, as a new version of its own.

        Without `to` it is the version before the current one with another model. Raises NotFound, Invalid for what is
        no plain name, and Conflict where there is nothing to go back to.
        """
        if parse(name).revision is not None:
            raise Invalid(f"{name!r} names one version; a name is rolled back", suggestion="--to VERSION")
        found = self._versions(name)
        if not found:
            named = self.lookup.find(name)
            raise NotFound(
                f"{name!r} is no name but means {named.name}", suggestion=f"ipfs-accel model rollback {named.name}"
            )
        current = found[0]
        target = self._target(found, to)
        if target.manifest == current.manifest:
            return _rolled(current, target, current, unchanged=True)
        with self.registry.write() as connection:
            made = tables.add_version(connection, current, target)
        return _rolled(made, target, current, unchanged=False)

    def lineage(self, name: str, language: Language = "mermaid") -> Lineage:
        """Return where a model comes from, and a drawing of it in Mermaid or Graphviz; raises NotFound."""
        return lineage.lineage(self.lookup, self.lookup.describe(self.lookup.find(name)), language)

    def card(self, name: str) -> Blob:
        """Return a model card in Markdown, made of what is known and honest about the rest; raises NotFound."""
        known = self.lookup.describe(self.lookup.find(name))
        text = card.card(
            known,
            inspecting.inspect(of_known(self.lookup.store, known)),
            lineage.lineage(self.lookup, known),
            self.registry.checked(known.named.manifest),
        ).encode()
        return Blob([text], len(text), known.named.manifest)

    def _target(self, found: list[Named], to: int | None) -> Named:
        name = found[0].name
        if to is None:
            earlier = next((one for one in found if one.manifest != found[0].manifest), None)
            if earlier is None:
                raise Conflict(f"{name} has no earlier model", suggestion=f"ipfs-accel model versions {name}")
            return earlier
        wanted = next((one for one in found if one.version == to), None)
        if wanted is None:
            raise NotFound(f"{name} has no version {to}", suggestion=f"ipfs-accel model versions {name}")
        return wanted

    def _versions(self, name: str) -> list[Named]:
        return [named for named in self.registry.names() if named.name == name]

    def _size(self, manifest: str) -> int:
        row = self.registry.model(manifest)
        return int(row["size_bytes"]) if row is not None else 0


def _rolled(now: Named, target: Named, before: Named, *, unchanged: bool) -> RolledBack:
    return RolledBack(
        name=now.name,
        version=now.version,
        same_as_version=target.version,
        was_version=before.version,
        manifest_cid=target.manifest,
        unchanged=unchanged,
    )
