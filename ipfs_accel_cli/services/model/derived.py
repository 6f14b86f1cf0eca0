"""What is made of a model, such as a graph for another engine: once, by whoever is first, kept under its own CID."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.manifest import Statement
from ipfs_accel_cli.core.errors import NotFound, VerificationFailed
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.services.model import tables
from ipfs_accel_cli.services.model.content import Root, Store
from ipfs_accel_cli.services.model.pull import held
from ipfs_accel_cli.services.model.register import KIND_STATEMENT

DERIVED = "derived"  # The kind of the statements; their body names what was made, its CID, and how well it agrees.

Make = Callable[[Path], Mapping[str, Any]]


def object_of(body: Mapping[str, Any]) -> CID | None:
    """Return the CID of what was made, as a statement's body names it; None for a body in another form."""
    cid = body.get("cid")
    return cid if isinstance(cid, CID) else None


@dataclass(frozen=True, slots=True)
class Derived:
    """What was made of the models of one home."""

    home: Home
    store: Store
    registry: tables.Tables

    def obtain(self, manifest: str, kind: str, make: Make) -> Path:
        """Return the file of a kind, after `make(target)` has written it and told what is to be said of it.

        Other processes that want the same wait for the first. Raises what `make` raises, and then keeps nothing.
        """
        found = self.find(manifest, kind)
        if found is not None:
            return found
        with held(self.home, f"{kind}-{manifest[-24:]}") as folder:
            try:
                found = self.find(manifest, kind)
                return found if found is not None else self._make(manifest, kind, make, folder / kind)
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    def find(self, manifest: str, kind: str) -> Path | None:
        """Return the file of a kind if it is here, in good order as far as can be seen without reading it."""
        for body in self._statements(manifest, kind):
            made = object_of(body)
            if made is not None:
                try:
                    return self.store.object_path(made)
                except (NotFound, VerificationFailed):
                    continue
        return None

    def said(self, manifest: str, kind: str) -> Mapping[str, Any]:
        """Return what is on record of the file of a kind; nothing where it has not been made."""
        return next(self._statements(manifest, kind), {})

    def _statements(self, manifest: str, kind: str) -> Iterator[Mapping[str, Any]]:
        for name, cid in self.registry.statements(manifest):
            if name == DERIVED:
                body = Statement.decode(self.store.block(CID.parse(cid))).body
                if body.get("kind") == kind:
                    yield body

    def _make(self, manifest: str, kind: str, make: Make, target: Path) -> Path:
        said = make(target)
        with self.store.session() as session:
            stored = session.path(target)
            body = {**said, "kind": kind, "cid": stored.cid, "size_bytes": stored.size_bytes}
            statement = Statement(CID.parse(manifest), DERIVED, body)
            session.block(statement.cid, statement.encode())

            def also(connection: sqlite3.Connection) -> None:
                tables.add_statement(connection, statement.subject, DERIVED, statement.cid)

            # The statement links to the file, so keeping the one keeps the other.
            session.commit([Root(statement.cid, tables.OWNER, manifest, KIND_STATEMENT)], also)
        return self.store.object_path(stored.cid)
