"""The registry's tables: models, their names and versions, aliases, statements, and what each reference gave.

What a model is called and what is said about it is told, when it changes, as an event of the topic `model`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core import events
from ipfs_accel_cli.core.database import Database

OWNER = "model"
TOPIC = "model"
CHANGED = "changed"

MIGRATIONS = (
    (
        "models",
        """
        CREATE TABLE models (
            manifest TEXT PRIMARY KEY, root TEXT NOT NULL, files INTEGER NOT NULL, size_bytes INTEGER NOT NULL,
            added_at TEXT NOT NULL
        ) WITHOUT ROWID;
        CREATE TABLE names (
            name TEXT NOT NULL, version INTEGER NOT NULL, manifest TEXT NOT NULL REFERENCES models ON DELETE CASCADE,
            reference TEXT NOT NULL, created_at TEXT NOT NULL, PRIMARY KEY (name, version)
        ) WITHOUT ROWID;
        CREATE INDEX names_by_manifest ON names (manifest);
        CREATE TABLE aliases (
            alias TEXT PRIMARY KEY, manifest TEXT NOT NULL REFERENCES models ON DELETE CASCADE, created_at TEXT NOT NULL
        ) WITHOUT ROWID;
        CREATE INDEX aliases_by_manifest ON aliases (manifest);
        CREATE TABLE statements (
            cid TEXT NOT NULL, manifest TEXT NOT NULL REFERENCES models ON DELETE CASCADE, kind TEXT NOT NULL,
            PRIMARY KEY (manifest, cid)
        ) WITHOUT ROWID;
        CREATE TABLE pulls (
            reference TEXT NOT NULL, selection TEXT NOT NULL, revision TEXT NOT NULL, pulled_at TEXT NOT NULL,
            manifest TEXT NOT NULL REFERENCES models ON DELETE CASCADE, PRIMARY KEY (reference, selection, revision)
        ) WITHOUT ROWID;
        CREATE INDEX pulls_by_manifest ON pulls (manifest);
        """,
    ),
    (
        "checks",
        """
        CREATE TABLE checks (
            manifest TEXT PRIMARY KEY REFERENCES models ON DELETE CASCADE, checked_at TEXT NOT NULL,
            level TEXT NOT NULL, problem TEXT
        ) WITHOUT ROWID;
        """,
    ),
    (
        "listed",
        # What a list shows of a model, as the store says it: only kept here so that a long list is one query.
        """
        CREATE TABLE listed (
            manifest TEXT PRIMARY KEY REFERENCES models ON DELETE CASCADE, body TEXT NOT NULL
        ) WITHOUT ROWID;
        """,
    ),
)


@dataclass(frozen=True, slots=True)
class Named:
    """One version of a name: the manifest it means and the reference it came from."""

    name: str
    version: int
    manifest: str
    reference: str
    created_at: str

    @property
    def exact(self) -> str:
        """Return `name@version`, which means this version in a command, whichever is the newest by then."""
        return f"{self.name}@{self.version}"

    def asked(self, text: str) -> str:
        """Return what to call this model for who asked for `text`: by its version, unless that is the bare name."""
        return self.name if text == self.name else self.exact


@dataclass(frozen=True, slots=True)
class Check:
    """When a model's bytes were last read again, how thoroughly, and what was wrong with them."""

    checked_at: str
    level: str
    problem: str | None


class Tables:
    """Reading and writing the registry. Writers take the connection of the transaction that they belong to."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.migrate(OWNER, MIGRATIONS)
        events.prepare(database)

    def names(self) -> list[Named]:
        """Return every version of every name, the newest version of each first."""
        return [_named(row) for row in self._rows("SELECT * FROM names ORDER BY name, version DESC")]

    def listed(self) -> list[tuple[Named, str | None]]:
        """Return what `names` does, each with what was kept of its model for lists."""
        query = (
            "SELECT name, version, manifest, reference, created_at, body"
            " FROM names LEFT JOIN listed USING (manifest) ORDER BY name, version DESC"
        )
        return [(Named(*row[:5]), row["body"]) for row in self._rows(query)]

    def named(self, name: str, version: int | None = None) -> Named | None:
        """Return one version of a name, or its newest."""
        rows = self._rows(
            "SELECT * FROM names WHERE name = ? AND (? IS NULL OR version = ?) ORDER BY version DESC LIMIT 1",
            *(name, version, version),
        )
        return _named(rows[0]) if rows else None

    def names_of(self, manifest: str) -> list[Named]:
        """Return the names that mean a manifest, the most recent first."""
        return [_named(row) for row in self._rows(
            "SELECT * FROM names WHERE manifest = ? ORDER BY created_at DESC, name, version DESC", manifest
        )]  # fmt: skip

    def aliases(self) -> dict[str, str]:
        """Return the manifests by alias."""
        return {row["alias"]: row["manifest"] for row in self._rows("SELECT * FROM aliases ORDER BY alias")}

    def model(self, manifest: str) -> sqlite3.Row | None:
        """Return a registered model's row by its manifest's CID or by its root's."""
        rows = self._rows("SELECT * FROM models WHERE manifest = ? OR root = ? ORDER BY added_at", manifest, manifest)
        return rows[0] if rows else None

    def manifests(self) -> list[str]:
        """Return every registered manifest."""
        return [row["manifest"] for row in self._rows("SELECT manifest FROM models ORDER BY manifest")]

    def statements(self, manifest: str) -> list[tuple[str, str]]:
        """Return (kind, CID) of what is said about a model."""
        rows = self._rows("SELECT kind, cid FROM statements WHERE manifest = ? ORDER BY kind, cid", manifest)
        return [(row["kind"], row["cid"]) for row in rows]

    def pulled(self, reference: str, selection: str, revision: str | None = None) -> tuple[str, str] | None:
        """Return (manifest, revision) that a reference gave at a revision, or the last time without one."""
        rows = self._rows(
            "SELECT manifest, revision FROM pulls WHERE reference = ? AND selection = ? AND (? IS NULL OR revision = ?)"
            " ORDER BY pulled_at DESC LIMIT 1",
            *(reference, selection, revision, revision),
        )
        return (rows[0]["manifest"], rows[0]["revision"]) if rows else None

    def revisions(self, manifest: str) -> list[str]:
        """Return the revisions that references had when they gave a manifest."""
        rows = self._rows("SELECT DISTINCT revision FROM pulls WHERE manifest = ? ORDER BY revision", manifest)
        return [row["revision"] for row in rows]

    def revision(self, manifest: str, reference: str) -> str | None:
        """Return the revision that a reference had when it last gave a manifest."""
        query = "SELECT revision FROM pulls WHERE manifest = ? AND reference = ? ORDER BY pulled_at DESC LIMIT 1"
        rows = self._rows(query, manifest, reference)
        return rows[0]["revision"] if rows else None

    def checked(self, manifest: str) -> Check | None:
        """Return the outcome of the last time that a model was verified or repaired."""
        rows = self._rows("SELECT checked_at, level, problem FROM checks WHERE manifest = ?", manifest)
        return Check(*rows[0]) if rows else None

    def references(self) -> list[str]:
        """Return every reference that was ever pulled and is still here."""
        return [row["reference"] for row in self._rows("SELECT DISTINCT reference FROM pulls ORDER BY reference")]

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Run the block in one transaction; raises HomeUnusable where nothing can be written."""
        with self._database.write() as connection:
            yield connection

    def _rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        return self._database.read().execute(query, values).fetchall()


def add_model(connection: sqlite3.Connection, manifest: CID, root: CID, files: int, size_bytes: int) -> bool:
    """Register a model and say whether it is new; one that is there already stays as it is."""
    values = (str(manifest), str(root), files, size_bytes, now())
    return connection.execute("INSERT OR IGNORE INTO models VALUES (?, ?, ?, ?, ?)", values).rowcount > 0


def add_statement(connection: sqlite3.Connection, manifest: CID, kind: str, cid: CID) -> None:
    """Register what is said about a model."""
    connection.execute("INSERT OR IGNORE INTO statements VALUES (?, ?, ?)", (str(cid), str(manifest), kind))
    connection.execute("DELETE FROM listed WHERE manifest = ?", (str(manifest),))
    events.tell(connection, TOPIC, CHANGED, str(manifest))


def keep_listed(connection: sqlite3.Connection, bodies: Mapping[str, str]) -> None:
    """Keep what lists show of models, by manifest; of one that was removed meanwhile nothing is kept."""
    connection.executemany(
        "INSERT OR REPLACE INTO listed SELECT manifest, ? FROM models WHERE manifest = ?",
        [(body, manifest) for manifest, body in bodies.items()],
    )


def add_name(connection: sqlite3.Connection, name: str, manifest: str, reference: str) -> Named:
    """Give a model a name: the version that has it already, else the next one."""
    rows = connection.execute("SELECT * FROM names WHERE name = ? ORDER BY version DESC", (name,)).fetchall()
    same = next((row for row in rows if row["manifest"] == manifest), None)
    if same is not None:
        return _named(same)
    version = rows[0]["version"] + 1 if rows else 1
    named = Named(name, version, manifest, reference, now())
    connection.execute(
        "INSERT INTO names VALUES (?, ?, ?, ?, ?)", (name, version, manifest, reference, named.created_at)
    )
    events.tell(connection, TOPIC, CHANGED, manifest)
    return named


def add_version(connection: sqlite3.Connection, current: Named, target: Named) -> Named:
    """Let a name mean an earlier version's model again, as its next version; the rows of before stay."""
    newest = connection.execute("SELECT max(version) FROM names WHERE name = ?", (current.name,)).fetchone()[0]
    made = Named(current.name, newest + 1, target.manifest, target.reference, now())
    connection.execute(
        "INSERT INTO names VALUES (?, ?, ?, ?, ?)",
        (made.name, made.version, made.manifest, made.reference, made.created_at),
    )
    events.tell(connection, TOPIC, CHANGED, made.manifest)
    return made


def add_pull(connection: sqlite3.Connection, reference: str, selection: str, revision: str, manifest: str) -> None:
    """Record what a reference gave, so that the next pull of it finds it here."""
    values = (reference, selection, revision, now(), manifest)
    connection.execute("INSERT OR REPLACE INTO pulls VALUES (?, ?, ?, ?, ?)", values)


def forget_check(connection: sqlite3.Connection, manifest: str) -> None:
    """Forget what was wrong with a model, because its bytes were just proven anew."""
    connection.execute("DELETE FROM checks WHERE manifest = ?", (manifest,))


def add_check(connection: sqlite3.Connection, manifest: str, level: str, problem: str | None) -> str:
    """Record the outcome of reading a model's bytes again; return the time."""
    at = now()
    connection.execute("INSERT OR REPLACE INTO checks VALUES (?, ?, ?, ?)", (manifest, at, level, problem))
    return at


def add_alias(connection: sqlite3.Connection, alias: str, manifest: str) -> None:
    """Let an alias mean a manifest, whatever it meant before."""
    before = connection.execute("SELECT manifest FROM aliases WHERE alias = ?", (alias,)).fetchall()
    connection.execute("INSERT OR REPLACE INTO aliases VALUES (?, ?, ?)", (alias, manifest, now()))
    for one in {manifest, *(row[0] for row in before)}:
        events.tell(connection, TOPIC, CHANGED, one)


def remove(connection: sqlite3.Connection, kind: str, name: str, version: int | None) -> None:
    """Take off an alias, or one version of a name (all of them without one)."""
    if kind == "alias":
        gone = connection.execute("DELETE FROM aliases WHERE alias = ? RETURNING manifest", (name,)).fetchall()
    else:
        query = "DELETE FROM names WHERE name = ? AND (? IS NULL OR version = ?) RETURNING manifest"
        gone = connection.execute(query, (name, version, version)).fetchall()
    for (manifest,) in {tuple(row) for row in gone}:
        events.tell(connection, TOPIC, CHANGED, manifest)


def release_nameless(connection: sqlite3.Connection) -> list[str]:
    """Take every model off the registry that no name means, with its aliases and statements; return the manifests."""
    rows = connection.execute(
        "DELETE FROM models WHERE manifest NOT IN (SELECT manifest FROM names) RETURNING manifest"
    ).fetchall()
    return sorted(row["manifest"] for row in rows)


def now() -> str:
    """Return the present time as ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _named(row: sqlite3.Row) -> Named:
    return Named(row["name"], row["version"], row["manifest"], row["reference"], row["created_at"])
