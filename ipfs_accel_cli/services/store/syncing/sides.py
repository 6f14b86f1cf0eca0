"""What two places have, in a database of its own for the time, so that memory stays small however much they have."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from typing import Literal

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.call import current

Side = Literal["source", "chosen", "destination"]


class Sides:
    """The roots of two places, and those of the source that were chosen."""

    def __init__(self) -> None:
        self._connection = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._connection.execute("CREATE TABLE roots (side TEXT, cid BLOB, PRIMARY KEY (side, cid)) WITHOUT ROWID")
        self._connection.execute("BEGIN")

    def __enter__(self) -> Sides:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def fill(self, side: Side, roots: Iterable[CID]) -> None:
        """Note what a place has."""
        for cid in roots:
            current().check()
            self._connection.execute("INSERT OR IGNORE INTO roots VALUES (?, ?)", (side, bytes(cid.to_v1())))

    def choose_all(self) -> None:
        """Choose all that the source has."""
        self._connection.execute("INSERT INTO roots SELECT 'chosen', cid FROM roots WHERE side = 'source'")

    def count(self, side: Side) -> int:
        """Return how many roots were noted."""
        return int(self._connection.execute("SELECT count(*) FROM roots WHERE side = ?", (side,)).fetchone()[0])

    def chosen(self) -> Iterator[tuple[CID, bool]]:
        """Yield what was chosen of the source, and whether the destination lists it."""
        query = """
            SELECT cid, cid IN (SELECT cid FROM roots WHERE side = 'destination') FROM roots
            WHERE side = 'chosen' ORDER BY cid
        """
        for cid, found in self._connection.execute(query):
            yield CID.parse(cid), bool(found)

    def extra(self) -> Iterator[CID]:
        """Yield what the destination lists and the source does not."""
        query = """
            SELECT cid FROM roots WHERE side = 'destination' EXCEPT SELECT cid FROM roots WHERE side = 'source'
        """
        for (cid,) in self._connection.execute(query):
            yield CID.parse(cid)
