"""The table of deployments: which configuration each version of a name means."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from dataclasses import dataclass

from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.services.model.tables import now

OWNER = "deploy"

MIGRATIONS = (
    (
        "deployments",
        """
        CREATE TABLE deployments (
            name TEXT NOT NULL, version INTEGER NOT NULL, cid TEXT NOT NULL, manifest TEXT NOT NULL,
            created_at TEXT NOT NULL, PRIMARY KEY (name, version)
        ) WITHOUT ROWID;
        CREATE INDEX deployments_by_cid ON deployments (cid);
        """,
    ),
)


@dataclass(frozen=True, slots=True)
class Kept:
    """One version of a deployment: the CID of its configuration, and the manifest that it serves."""

    name: str
    version: int
    cid: str
    manifest: str
    created_at: str

    @property
    def title(self) -> str:
        return f"{self.name}@{self.version}"


class Table:
    """Reads the deployments of one home."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.migrate(OWNER, MIGRATIONS)

    def all(self) -> list[Kept]:
        """Return every version of every name, the newest version of each first."""
        return self._rows("SELECT * FROM deployments ORDER BY name, version DESC")

    def versions(self, name: str) -> list[Kept]:
        """Return the versions of a name, the newest first."""
        return self._rows("SELECT * FROM deployments WHERE name = ? ORDER BY version DESC", name)

    def _rows(self, query: str, *values: object) -> list[Kept]:
        return [Kept(*row) for row in self._database.read().execute(query, values).fetchall()]


def newest(connection: sqlite3.Connection, name: str) -> Kept | None:
    """Return the version that a name means now, inside the caller's transaction."""
    query = "SELECT * FROM deployments WHERE name = ? ORDER BY version DESC LIMIT 1"
    row = connection.execute(query, (name,)).fetchone()
    return Kept(*row) if row is not None else None


def serving(connection: sqlite3.Connection, manifests: Collection[str]) -> list[Kept]:
    """Return the versions that serve one of the models, inside the caller's transaction."""
    rows = connection.execute("SELECT * FROM deployments ORDER BY name, version").fetchall()
    return [kept for kept in (Kept(*row) for row in rows) if kept.manifest in manifests]


def is_registered(connection: sqlite3.Connection, manifest: str) -> bool:
    """Say whether a model is in the registry, inside the caller's transaction."""
    return connection.execute("SELECT 1 FROM models WHERE manifest = ?", (manifest,)).fetchone() is not None


def add(connection: sqlite3.Connection, name: str, cid: str, manifest: str) -> Kept:
    """Make the next version of a name."""
    before = newest(connection, name)
    made = Kept(name, before.version + 1 if before else 1, cid, manifest, now())
    values = (made.name, made.version, made.cid, made.manifest, made.created_at)
    connection.execute("INSERT INTO deployments VALUES (?, ?, ?, ?, ?)", values)
    return made


def remove(connection: sqlite3.Connection, doomed: Kept) -> bool:
    """Take one version off; say whether no other version has its configuration."""
    connection.execute("DELETE FROM deployments WHERE name = ? AND version = ?", (doomed.name, doomed.version))
    query = "SELECT 1 FROM deployments WHERE cid = ? LIMIT 1"
    return connection.execute(query, (doomed.cid,)).fetchone() is None
