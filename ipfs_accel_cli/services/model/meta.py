"""Notes on models: keys and values that the owner wants to remember here, beside what is true everywhere."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from ipfs_accel_cli.core import events
from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.errors import Invalid, LimitReached, NotFound
from ipfs_accel_cli.services.model.lookup import Lookup
from ipfs_accel_cli.services.model.results import Meta
from ipfs_accel_cli.services.model.tables import CHANGED, TOPIC, Named

OWNER = "model-meta"
MIGRATIONS = (
    (
        "meta",
        """
        CREATE TABLE meta (
            manifest TEXT NOT NULL REFERENCES models ON DELETE CASCADE, key TEXT NOT NULL, value TEXT NOT NULL,
            PRIMARY KEY (manifest, key)
        ) WITHOUT ROWID;
        """,
    ),
)
MAX_NOTES = 100
MAX_CHARACTERS = 1000
_KEY = re.compile(r"[a-z][a-z0-9_.-]{0,62}")


@dataclass(frozen=True, slots=True)
class Notes:
    """The notes of one home. They belong to a manifest, so a name's next version begins without any."""

    database: Database
    lookup: Lookup

    def change(self, name: str, settings: Sequence[str], unset: Sequence[str]) -> Meta:
        """Set notes given as KEY=VALUE, take others off, and return all of the model; all changes or none.

        Raises NotFound for a model or note that is not there, Invalid, and LimitReached.
        """
        named = self.lookup.find(name)
        values = dict(_parsed(text) for text in settings)
        both = [key for key in unset if key in values]
        if both:
            raise Invalid(f"{both[0]} is set and taken off at once")
        if values or unset:
            self._write(named, values, unset)
        found = self.all().get(named.manifest, {})
        return Meta(name=named.name, version=named.version, manifest_cid=named.manifest, meta=found)

    def all(self) -> dict[str, dict[str, str]]:
        """Return the notes of every model by its manifest, sorted by key."""
        self.database.migrate(OWNER, MIGRATIONS)
        found: dict[str, dict[str, str]] = defaultdict(dict)
        for row in self.database.read().execute("SELECT * FROM meta ORDER BY manifest, key"):
            found[row["manifest"]][row["key"]] = row["value"]
        return dict(found)

    def _write(self, named: Named, values: dict[str, str], unset: Sequence[str]) -> None:
        manifest = named.manifest
        self.database.migrate(OWNER, MIGRATIONS)
        with self.database.write() as connection:
            for key in unset:
                gone = connection.execute("DELETE FROM meta WHERE manifest = ? AND key = ?", (manifest, key)).rowcount
                if not gone:
                    raise NotFound(
                        f"there is no note {key[:80]!r} to take off", suggestion=f"ipfs-accel model meta {named.exact}"
                    )
            for key, value in values.items():
                row = connection.execute(
                    "INSERT OR REPLACE INTO meta SELECT manifest, ?, ? FROM models WHERE manifest = ?",
                    (key, value, manifest),
                )
                if not row.rowcount:
                    raise NotFound("the model was removed meanwhile", suggestion="ipfs-accel model ls")
            (count,) = connection.execute("SELECT count(*) FROM meta WHERE manifest = ?", (manifest,)).fetchone()
            if count > MAX_NOTES:
                raise LimitReached(f"a model may have {MAX_NOTES} notes, not {count}")
            events.tell(connection, TOPIC, CHANGED, manifest)


def _parsed(text: str) -> tuple[str, str]:
    key, found, value = text.partition("=")
    if not found:
        raise Invalid(f"{text[:80]!r} is no note; write KEY=VALUE, or --unset {text[:80]}")
    if not _KEY.fullmatch(key):
        raise Invalid(f"{key[:80]!r} cannot be a key: a lower-case letter, then letters, digits, _ . and -, 63 at most")
    if not value.strip() or not value.isprintable():
        raise Invalid(f"the value of {key} is empty or cannot be printed", suggestion=f"--unset {key}")
    if len(value) > MAX_CHARACTERS:
        raise LimitReached(f"the value of {key} has {len(value)} characters, more than {MAX_CHARACTERS}")
    return key, value
