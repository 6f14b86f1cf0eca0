"""Tags: words that people give to content. They are the state's, and told to the index as every other change is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ipfs_accel_cli.core import events
from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.errors import Invalid, NotFound
from ipfs_accel_cli.services.search.entry import moment
from ipfs_accel_cli.services.search.results import Tagged, TagRow, Tags
from ipfs_accel_cli.services.search.schema import MIGRATIONS, OWNER

TOPIC = "search"
_LONGEST = 100


@dataclass(frozen=True, slots=True)
class TagBook:
    """The tags of one home."""

    state: Database

    def add(self, cid: str, tags: Sequence[str]) -> Tagged:
        """Give tags to content; again is no error. Raises Invalid for what is no tag."""
        found = [_checked(tag) for tag in tags]
        self._prepare()
        with self.state.write() as connection:
            for tag in found:
                connection.execute("INSERT OR IGNORE INTO search_tags VALUES (?, ?, ?)", (cid, tag, moment()))
            events.tell(connection, TOPIC, "tagged", cid)
        return Tagged(cid=cid, tags=list(tags_of(self.state, cid)))

    def remove(self, cid: str, tags: Sequence[str]) -> Tagged:
        """Take tags off; raises NotFound where one is not there, and then takes none off."""
        self._prepare()
        with self.state.write() as connection:
            for tag in map(_checked, tags):
                query = "DELETE FROM search_tags WHERE cid = ? AND tag = ?"
                if not connection.execute(query, (cid, tag)).rowcount:
                    raise NotFound(f"{cid} has no tag {tag!r}", suggestion=f"ipfs-accel search tag ls {cid}")
            events.tell(connection, TOPIC, "tagged", cid)
        return Tagged(cid=cid, tags=list(tags_of(self.state, cid)))

    def all(self, cid: str | None = None) -> Tags:
        """List the tags with how many have each, or those of one CID."""
        query = "SELECT tag, count(*) AS n FROM search_tags WHERE cid = coalesce(?, cid) GROUP BY tag ORDER BY tag"
        return Tags(tags=[TagRow(tag=row["tag"], documents=row["n"]) for row in self.state.rows(query, (cid,))])

    def _prepare(self) -> None:
        self.state.migrate(OWNER, MIGRATIONS)
        events.prepare(self.state)


def tags_of(state: Database, cid: str) -> tuple[str, ...]:
    """Return the tags of content."""
    rows = state.rows("SELECT tag FROM search_tags WHERE cid = ? ORDER BY tag", (cid,))
    return tuple(row["tag"] for row in rows)


def all_tags(state: Database) -> dict[str, tuple[str, ...]]:
    """Return the tags of everything that has any."""
    found: dict[str, tuple[str, ...]] = {}
    for row in state.rows("SELECT cid, tag FROM search_tags ORDER BY cid, tag"):
        found[row["cid"]] = (*found.get(row["cid"], ()), row["tag"])
    return found


def _checked(tag: str) -> str:
    clean = " ".join(tag.split()).lower()
    if not clean or len(clean) > _LONGEST or not clean.isprintable():
        raise Invalid(f"{tag[:40]!r} is no tag: a few words, {_LONGEST} characters at most")
    return clean
