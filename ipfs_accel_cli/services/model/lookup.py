"""Finding registered models by whatever a user may call them, and what is known of one."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from typing import Any

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.errors import ContentError
from ipfs_accel_cli.content.manifest import Manifest, Statement
from ipfs_accel_cli.core.errors import Invalid, NotFound, VerificationFailed
from ipfs_accel_cli.services.model import catalogue
from ipfs_accel_cli.services.model.content import Store
from ipfs_accel_cli.services.model.facts import Facts
from ipfs_accel_cli.services.model.tables import Named, Tables
from ipfs_accel_cli.sources.reference import NAMED, Reference, parse


@dataclass(frozen=True, slots=True)
class Known:
    """A registered model under one of its names, with its manifest and what is said about it."""

    named: Named
    manifest: Manifest
    facts: Facts
    licence: str | None
    statements: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)  # kind, CID, body


@dataclass(frozen=True, slots=True)
class Lookup:
    """Reads the registry and the store; changes nothing."""

    store: Store
    registry: Tables

    def find(self, text: str) -> Named:
        """Return the model of a name, `name@version`, alias, manifest or root CID, or reference that was pulled.

        Raises NotFound with near names, and Invalid for a text that cannot be any of these.
        """
        alias = self.registry.aliases().get(text)
        if alias is not None:
            return self._by_manifest(alias, text)
        row = self.registry.model(text) if _is_cid(text) else None
        if row is not None:
            return self._by_manifest(row["manifest"], text)
        try:
            reference = parse(text)
        except Invalid as error:
            raise Invalid(f"{text!r} is no name of a model", suggestion="ipfs-accel model ls") from error
        if reference.scheme == NAMED:
            named = self.registry.named(reference.locator, int(reference.revision) if reference.revision else None)
            if named is not None:
                return named
        else:
            pulled = self.registry.pulled(str(reference), "")
            if pulled is not None:
                return self._by_manifest(pulled[0], text)
        raise self._missing(text, reference)

    def describe(self, named: Named) -> Known:
        """Read a model's manifest and statements from the store; raises NotFound and VerificationFailed.

        These mean that a block is gone or damaged, and suggest to repair the model.
        """
        try:
            return self._described(named)
        except (NotFound, VerificationFailed) as error:
            raise type(error)(
                f"{named.name} is damaged: {error.detail}",
                suggestion=f"ipfs-accel model repair {named.exact}",
                errors=error.errors,
            ) from error

    def _described(self, named: Named) -> Known:
        manifest = load_manifest(self.store, named.manifest)
        statements = [
            (kind, cid, Statement.decode(self.store.block(CID.parse(cid))).body)
            for kind, cid in self.registry.statements(named.manifest)
        ]
        said = {kind: body for kind, _, body in statements}
        stated = said.get("licence", {}).get("licence")
        licence = stated if isinstance(stated, str) else None
        return Known(named, manifest, Facts.of_body(said.get("facts", {})), licence, statements)

    def near(self, text: str) -> list[str]:
        """Return names that are spelled much like a text, of what is here and what the catalogue suggests."""
        names = {named.name for named in self.registry.names()} | set(self.registry.aliases()) | catalogue.names()
        return difflib.get_close_matches(text, sorted(names), n=3, cutoff=0.6)

    def with_near_references(self, error: NotFound, wanted: Reference) -> NotFound:
        """Return a source's error with references that are spelled much like the one wanted, where there are any."""
        known = {parse(text).short_name: text for text in (*self.registry.references(), *catalogue.addresses())}
        near = difflib.get_close_matches(wanted.short_name, sorted(known.keys() - {wanted.short_name}), n=3, cutoff=0.7)
        if error.suggestion or not near:
            return error
        references = [str(parse(known[name]).pinned(None)) for name in near]
        suggestion = f"ipfs-accel model pull {references[0]}"
        return NotFound(f"{error.detail}; near names: {', '.join(references)}", suggestion=suggestion, near=references)

    def _by_manifest(self, manifest: str, text: str) -> Named:
        names = self.registry.names_of(manifest)
        if not names:
            raise NotFound(f"the model {text!r} has no name any more", suggestion="ipfs-accel model ls")
        return names[0]

    def _missing(self, text: str, reference: Reference) -> NotFound:
        if reference.scheme != NAMED:
            return NotFound(f"{text!r} was not pulled", suggestion=f"ipfs-accel model pull {text}")
        known = self.registry.named(reference.locator) if reference.revision else None
        if known is not None:
            detail = f"the model {known.name!r} has no version {reference.revision}; the newest is {known.version}"
            return NotFound(detail, suggestion=f"ipfs-accel model show {known.name}")
        near = self.near(reference.locator)
        hint = f"; near names: {', '.join(near)}" if near else ""
        suggestion = self._next_command(reference, near)
        return NotFound(f"no model named {text!r} is here{hint}", suggestion=suggestion, near=near)

    def _next_command(self, reference: Reference, near: list[str]) -> str:
        here = next((name for name in near if self.registry.named(name)), None)
        if here is not None:
            return f"ipfs-accel model show {here}"
        packaged = next((command for name in near if (command := catalogue.command_for(name))), None)
        if packaged is not None:
            return packaged
        return f"ipfs-accel model pull hf://{reference.locator}" if "/" in reference.locator else "ipfs-accel model ls"


def load_manifest(store: Store, manifest: str) -> Manifest:
    """Read a manifest from the store; raises NotFound."""
    return Manifest.decode(store.block(CID.parse(manifest)))


def is_whole(store: Store, manifest: str) -> bool:
    """Say whether every file of a model lies in the store, by name and size; nothing is hashed."""
    try:
        entries = load_manifest(store, manifest).files
        return all(store.object_path(entry.cid).stat().st_size == entry.size_bytes for entry in entries)
    except (NotFound, VerificationFailed, FileNotFoundError):
        return False


def _is_cid(text: str) -> bool:
    try:
        CID.parse(text)
    except ContentError:
        return False
    return True
