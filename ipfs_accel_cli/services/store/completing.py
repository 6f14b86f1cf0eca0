"""DAGs that were kept in part: what of them is whole once further blocks are here."""

from __future__ import annotations

from collections.abc import Iterable

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.dag import links
from ipfs_accel_cli.content.errors import ContentError
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.services.store.arriving import Arriving
from ipfs_accel_cli.services.store.checking import PARTIAL
from ipfs_accel_cli.services.store.index import Index
from ipfs_accel_cli.services.store.promoting import Promotion
from ipfs_accel_cli.services.store.roots import Root
from ipfs_accel_cli.services.store.session import PutSession
from ipfs_accel_cli.services.store.walking import Frontier


def partial(index: Index) -> list[Root]:
    """List the roots that lacked blocks when they were kept."""
    rows = index.connection().execute("SELECT * FROM roots WHERE kind = ?", (PARTIAL,)).fetchall()
    return [Root(CID.parse(row["cid"]), row["owner"], row["label"], row["kind"]) for row in rows]


def completed(session: PutSession, arriving: Arriving, roots: Iterable[Root]) -> list[Root]:
    """Put together the files of those roots that lack nothing any more; return these with the kind they are now."""
    found = []
    for root in roots:
        size_bytes = _size_bytes(arriving, root.cid)
        if size_bytes is None:
            continue
        promotion = Promotion(session, arriving, budget_bytes=2 * size_bytes)
        promotion.run([root.cid])
        found.append(root._replace(kind=promotion.kind(root.cid)))
    return found


def _size_bytes(arriving: Arriving, root: CID) -> int | None:
    """Return the bytes of a DAG's blocks, an allowance for each link included; None when one of them is missing."""
    size_bytes = 0
    with Frontier() as frontier:
        frontier.push([root])
        while (ahead := frontier.pop()) is not None:
            current().check()
            cid, _ = ahead
            leaf = arriving.leaf(cid)
            data = None if leaf is not None else arriving.node(cid)
            if leaf is None and data is None:
                return None
            size_bytes += 64 + (leaf.length if leaf is not None else len(data or b""))
            if data is not None:
                frontier.push(_links(cid, data))
    return size_bytes


def _links(cid: CID, data: bytes) -> list[CID]:
    try:
        return links(cid, data)
    except ContentError:
        return []
