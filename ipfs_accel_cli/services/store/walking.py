"""Walking DAGs of any size: what was seen and what is to come wait in a database, so that memory stays small."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from ipfs_accel_cli.content.cid import CID, RAW
from ipfs_accel_cli.content.dag import links
from ipfs_accel_cli.content.errors import ContentError
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.services.store.blocks import Blocks
from ipfs_accel_cli.services.store.index import Index, WholeFile


@dataclass(frozen=True, slots=True)
class Visit:
    """A block of a DAG: a node with its bytes, a leaf that was not read, or one that is missing.

    `file` is the whole-file DAG whose root this is; `inside` says that the block was reached through such a root.
    """

    cid: CID
    kind: Literal["node", "leaf", "missing"]
    data: bytes = b""
    file: WholeFile | None = None
    inside: bool = False


class Frontier:
    """The blocks seen and the blocks to come, depth first; each is given out once."""

    def __init__(self) -> None:
        self._connection = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._connection.execute("CREATE TABLE seen (cid BLOB PRIMARY KEY) WITHOUT ROWID")
        self._connection.execute("CREATE TABLE ahead (place INTEGER PRIMARY KEY, cid BLOB, inside INTEGER)")
        self._connection.execute("BEGIN")

    def __enter__(self) -> Frontier:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def push(self, cids: Iterable[CID], *, inside: bool = False) -> None:
        """Put blocks ahead, so that the first of them comes next."""
        rows = [(bytes(cid), inside) for cid in cids]
        self._connection.executemany("INSERT INTO ahead (cid, inside) VALUES (?, ?)", reversed(rows))

    def pop(self) -> tuple[CID, bool] | None:
        """Take the next block that was not given out before, in either CID version; None when there is none."""
        while True:
            row = self._connection.execute(
                "SELECT place, cid, inside FROM ahead ORDER BY place DESC LIMIT 1"
            ).fetchone()
            if row is None:
                return None
            self._connection.execute("DELETE FROM ahead WHERE place = ?", (row[0],))
            cid = CID.parse(row[1])
            if self._connection.execute("INSERT OR IGNORE INTO seen VALUES (?)", (bytes(cid.to_v1()),)).rowcount:
                return cid, bool(row[2])


def walk(
    index: Index, blocks: Blocks, roots: Iterable[CID], frontier: Frontier, *, inner_leaves: bool = True
) -> Iterator[Visit]:
    """Visit every block that the roots reach, once, parents before children, in the order of the links.

    Without `inner_leaves` the leaves of whole files are passed over. A block that cannot be read for its links, being
    damaged or of an unknown codec, has none.
    """
    frontier.push(roots)
    while (ahead := frontier.pop()) is not None:
        current().check()
        cid, inside = ahead
        visit = _visit(index, blocks, cid, inside)
        if visit.kind == "leaf" and inside and not inner_leaves:
            continue
        yield visit
        if visit.kind == "node":
            below, within = _links(cid, visit.data), inside or visit.file is not None
            if within and not inner_leaves:
                below = [link for link in below if link.codec != RAW]
            frontier.push(below, inside=within)


def _visit(index: Index, blocks: Blocks, cid: CID, inside: bool) -> Visit:
    file = None if inside else index.find_file(cid)
    data = blocks.peek(cid)
    if data is not None:
        return Visit(cid, "node", data, file, inside)
    if file is not None or index.has_leaf(cid):
        return Visit(cid, "leaf", b"", file, inside)
    return Visit(cid, "missing", b"", None, inside)


def _links(cid: CID, data: bytes) -> list[CID]:
    try:
        return links(cid, data)
    except ContentError:
        return []
