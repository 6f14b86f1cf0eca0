"""Saved searches: queries that people gave a name. They are the state's, and survive every rebuild of the index."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

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
    """The saved searches of one home; `query` answers one, `fresh` lets the index take in what changed."""

    state: Database
    query: Callable[[Asked], Found]
    fresh: Callable[[], object]

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
            connection.execute("INSERT OR REPLACE INTO saved_searches (name, body, saved_at) VALUES (?, ?, ?)", row)
        return self.show(name)

    def all(self) -> SavedSearches:
        """List them by name."""
        rows = self.state.rows("SELECT * FROM saved_searches ORDER BY name")
        return SavedSearches(searches=[_shown(row) for row in rows])

    def show(self, name: str) -> SavedSearch:
        """Return one; raises NotFound."""
        return _shown(self._row(name))

    def run(self, name: str, limit: int | None = None, cursor: str | None = None, *, new: bool = False) -> Found:
        """Ask a saved search anew, with `new` only for what came since it ran before; raises as a query does.

        Where `new` finds more than a page, the next run shows that again: nothing is called old that nobody was shown.
        """
        row = self._row(name)
        if new and cursor is not None:
            raise Invalid("--new has no second page; give a larger --limit")
        asked = _read(row["body"])
        if new and row["ran_at"] is not None:
            since = f"added>{row['ran_at']}"
            asked = replace(asked, where=f"({asked.where}) AND {since}" if asked.where else since)
        # What the query itself takes in is as old as the query: it may be shown twice, and is never left out.
        self.fresh()
        now = moment()
        found = self.query(replace(asked, limit=asked.limit if limit is None else limit, cursor=cursor))
        if new and found.cursor is not None:
            return found.model_copy(update={"note": f"more is new than --limit {len(found.hits)}", "cursor": None})
        if cursor is None and not found.behind:
            with self.state.write() as connection:
                connection.execute("UPDATE saved_searches SET ran_at = ? WHERE name = ?", (now, name))
        return found

    def remove(self, name: str) -> SavedSearch:
        """Forget a saved search; raises NotFound."""
        shown = self.show(name)
        with self.state.write() as connection:
            connection.execute("DELETE FROM saved_searches WHERE name = ?", (name,))
        return shown

    def _row(self, name: str) -> sqlite3.Row:
        self.state.migrate(OWNER, MIGRATIONS)
        rows = self.state.rows("SELECT * FROM saved_searches WHERE name = ?", (name,))
        if not rows:
            raise NotFound(f"no saved search is named {name!r}", suggestion="ipfs-accel search saved ls")
        return rows[0]


def _read(body: str) -> Asked:
    """Return a kept query; what an older version did not know of has its usual value."""
    values: dict[str, Any] = json.loads(body)
    for name, value in values.items():
        values[name] = tuple(value) if isinstance(value, list) else value
    return Asked(**values)


def _shown(row: sqlite3.Row) -> SavedSearch:
    asked = _read(row["body"])
    return SavedSearch(
        name=row["name"],
        query=asked.text,
        mode=asked.mode,
        filter=asked.where or "",
        tags=list(asked.tags),
        kinds=list(asked.kinds),
        sort=asked.sort,
        limit=asked.limit,
        all_words=asked.every,
        saved_at=row["saved_at"],
        ran_at=row["ran_at"],
    )
