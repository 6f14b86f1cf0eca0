"""An index with documents of its own, written without a store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ipfs_accel_cli.content.cid import CID, RAW
from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.extractors.base import Document, Fact
from ipfs_accel_cli.services.search import index as tables
from ipfs_accel_cli.services.search.entry import Entry, moment
from ipfs_accel_cli.services.search.index import Index
from ipfs_accel_cli.services.search.querying import Asked
from ipfs_accel_cli.services.search.results import Found
from ipfs_accel_cli.services.search.service import Search
from ipfs_accel_cli.services.search.supply import Beside

ROOT = "root"


class NothingKept:
    """A store without anything in it."""

    entries: Sequence[object] = ()

    def ls(self, reference: str | None = None) -> NothingKept:
        return self


def cid(name: str) -> str:
    return str(CID.of(name.encode(), RAW))


def search_in(folder: Path) -> Search:
    home = Home(folder)
    found = Search(home, Database(home), Beside(NothingKept()))  # type: ignore[arg-type]
    found.keeping.fresh(1)
    return found


def entry(
    name: str,
    text: str = "",
    facts: Mapping[str, Fact] | None = None,
    *,
    kind: str = "text",
    size: int = 1,
    tags: tuple[str, ...] = (),
    at: str = "2026-01-31T12:00:00Z",
) -> Entry:
    return Entry(cid(name), Document(kind, name, text, facts or {}), size, moment(at), "text/1", None, tags)


def write(index: Index, *entries: Entry) -> None:
    with index.write() as connection:
        for one, number in zip(entries, tables.put(connection, entries), strict=True):
            tables.join(connection, ROOT, one.document.title, number)


def titles(found: Found) -> list[str]:
    return [hit.title for hit in found.hits]


def ask(search: Search, text: str = "", **wish: object) -> list[str]:
    return titles(search.query(Asked(text, **wish)))  # type: ignore[arg-type]
