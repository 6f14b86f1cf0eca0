"""Where the names and versions of prompt templates are kept; the templates themselves are content of the store."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime

from ipfs_accel_cli.core.database import Database

OWNER = "prompt"

MIGRATIONS = (
    (
        "prompts",
        """
        CREATE TABLE prompts (
            name TEXT NOT NULL, version INTEGER NOT NULL, cid TEXT NOT NULL, description TEXT NOT NULL,
            created_at TEXT NOT NULL, PRIMARY KEY (name, version)
        ) WITHOUT ROWID;
        """,
    ),
)


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a template's name, and the content that it means."""

    name: str
    version: int
    cid: str
    description: str
    created_at: str

    @property
    def exact(self) -> str:
        """`name@version`, also the label under which the store keeps it."""
        return f"{self.name}@{self.version}"


class Tables:
    """Reading and writing the names. Writers take the connection of the transaction that they belong to."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.migrate(OWNER, MIGRATIONS)

    def all(self) -> list[Version]:
        """Return every version of every name, the newest of each first."""
        return [_version(row) for row in self._rows("SELECT * FROM prompts ORDER BY name, version DESC")]

    def of(self, name: str) -> list[Version]:
        """Return the versions of a name, the newest first."""
        return [_version(row) for row in self._rows("SELECT * FROM prompts WHERE name = ? ORDER BY version DESC", name)]

    def add(self, connection: sqlite3.Connection, name: str, cid: str, description: str) -> str:
        """Give a name its next version and return `name@version`; the same content as the newest one makes none."""
        newest = connection.execute(
            "SELECT version, cid FROM prompts WHERE name = ? ORDER BY version DESC LIMIT 1", (name,)
        ).fetchone()
        if newest is not None and newest["cid"] == cid:
            return f"{name}@{newest['version']}"
        version = 1 if newest is None else newest["version"] + 1
        now = datetime.now(UTC).isoformat(timespec="seconds")
        connection.execute("INSERT INTO prompts VALUES (?, ?, ?, ?, ?)", (name, version, cid, description, now))
        return f"{name}@{version}"

    def remove(self, connection: sqlite3.Connection, version: Version) -> None:
        """Forget one version."""
        connection.execute("DELETE FROM prompts WHERE name = ? AND version = ?", (version.name, version.version))

    def _rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        return self._database.read().execute(query, values).fetchall()


def _version(row: sqlite3.Row) -> Version:
    return Version(row["name"], row["version"], row["cid"], row["description"], row["created_at"])
