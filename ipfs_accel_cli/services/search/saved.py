"""Saved searches: queries that people gave a name. They are the state's, and survive every rebuild of the index."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, fields, replace

from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.errors import Conflict, Invalid, NotFound
from ipfs_accel_cli.services.search.entry import moment
from ipfs_accel_cli.services.search.querying import Asked
from ipfs_accel_cli.services.search.results import Found, SavedSearch, SavedSearches
from ipfs_accel_cli.services.search.schema import MIGRATIONS, OWNER

_LONGEST = 100
# What belongs to one page, or to one way of looking at it.
_NOT_KEPT = frozenset({"cursor", "explain"})


@dataclass(frozen=True, slots=True)
class SavedBook:
    """The saved searches of one home; `query` answers one."""

    state: Database
    query: Callable[[Asked], Found]

    def add(self, name: str, asked: Asked, *, again: bool = False) -> SavedSearch:
        """Keep a query under a name, in the place of an earlier one with `again`.

        Raises Conflict for a name that is taken, and Invalid for a query that could not be asked.
        """
        if not name or len(name) > _LONGEST or not name.isprintable() or name != " ".join(name.split()):
            raise Invalid(f"{name[:40]!r} is no name: printable, without spaces around, {_LONGEST} characters at most")
        # By words alone it is read in full and no model is loaded for it.
        self.query(replace(asked, mode="text"))
        body = {one.name: getattr(asked, one.name) for one in fields(asked) if one.name not in _NOT_KEPT}
        self.state.migrate(OWNER, MIGRATIONS)
        with self.state.write() as connection:
            if not again and connection.execute("SELECT 1 FROM saved_searches WHERE name = ?", (name,)).fetchone():
                raise Conflict(f"there is a saved search {name!r} already; --replace replaces it")
            row = (name, json.dumps(body, sort_keys=True), moment())
            connection.execute("INSERT OR REPLACE INTO saved_searches VALUES (?, ?, ?)", row)
        return self._get(name)[0]

    def all(self) -> SavedSearches:
        """List them by name."""
        rows = self.state.rows("SELECT * FROM saved_searches ORDER BY name")
        return SavedSearches(searches=[_shown(row["name"], _read(row["body"]), row["saved_at"]) for row in rows])

    def run(self, name: str, limit: int | None = None, cursor: str | None = None) -> Found:
        """Ask a saved search anew; raises NotFound, and what a query raises."""
        asked = self._get(name)[1]
        return self.query(replace(asked, limit=asked.limit if limit is None else limit, cursor=cursor))

    def remove(self, name: str) -> SavedSearch:
        """Forget a saved search; raises NotFound."""
        shown, _ = self._get(name)
        with self.state.write() as connection:
            connection.execute("DELETE FROM saved_searches WHERE name = ?", (name,))
        return shown

    def _get(self, name: str) -> tuple[SavedSearch, Asked]:
        rows = self.state.rows("SELECT * FROM saved_searches WHERE name = ?", (name,))
        if not rows:
            raise NotFound(f"no saved search is named {name!r}", suggestion="ipfs-accel search saved ls")
        asked = _read(rows[0]["body"])
        return _shown(name, asked, rows[0]["saved_at"]), asked


def _read(body: str) -> Asked:
    """Return a kept query; what an older version did not know of has its usual value."""
    values = json.loads(body)
    return Asked(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})


def _shown(name: str, asked: Asked, saved_at: str) -> SavedSearch:
    return SavedSearch(
        name=name,
        query=asked.text,
        mode=asked.mode,
        filter=asked.where or "",
        tags=list(asked.tags),
        kinds=list(asked.kinds),
        sort=asked.sort,
        limit=asked.limit,
        all_words=asked.every,
        saved_at=saved_at,
    )
