"""Roots: what is kept, by whom and under which name; gc removes what no root reaches.

What begins and what ceases to be kept is told as events of the topic `store`, in the transaction of the change.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.multihash import IDENTITY, SHA2_256
from ipfs_accel_cli.core import events
from ipfs_accel_cli.core.errors import NotFound
from ipfs_accel_cli.services.store.schema import next_sequence

TOPIC = "store"
KEPT, RELEASED = "kept", "released"  # What is told of a root.
PINS = "pin"  # The owner of what somebody pinned.
METADATA = "meta"  # The owner of versions of metadata, under the CID that they are about.
TRANSIT = "sync"  # The owner of what is here only until it is at another place.
RECURSIVE, DIRECT = "recursive", "direct"  # The kinds of pins: all that a root reaches, or its block alone.


class Root(NamedTuple):
    """A reason to keep a DAG: `owner` is the service that asked (`store` for the user), `label` its name for it."""

    cid: CID
    owner: str
    label: str
    kind: str


def keep(connection: sqlite3.Connection, root: Root) -> None:
    """Keep a DAG for an owner, inside the caller's write transaction; again is no error.

    Raises NotFound when the root block is not in the store.
    """
    if not _is_here(connection, root.cid):
        raise NotFound(f"{root.cid} is not in the store", suggestion="ipfs-accel store ls")
    now = datetime.now(UTC).isoformat(timespec="seconds")
    known = connection.execute(
        "SELECT 1 FROM roots WHERE owner = ? AND label = ? AND cid = ?", (root.owner, root.label, bytes(root.cid))
    ).fetchone()
    if known is None:
        _tell(connection, KEPT, root)
    connection.execute(
        "INSERT INTO roots VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (owner, label, cid) DO UPDATE SET"
        " kind = excluded.kind, sequence = excluded.sequence",
        (bytes(root.cid), root.owner, root.label, root.kind, now, next_sequence(connection)),
    )


def release(connection: sqlite3.Connection, owner: str, label: str, cid: CID | None = None) -> int:
    """Stop keeping what an owner kept under a label, or one CID of it, inside the caller's transaction.

    Returns how many roots went.
    """
    exact = None if cid is None else bytes(cid)
    return _delete(connection, "owner = ? AND label = ? AND cid = coalesce(?, cid)", (owner, label, exact))


def release_cid(connection: sqlite3.Connection, owner: str, cids: Sequence[bytes], label: str | None = None) -> int:
    """Stop keeping a CID in any of its spellings for an owner, under one label or all; return how many roots went."""
    marks = ", ".join("?" * len(cids))
    return _delete(connection, f"owner = ? AND label = coalesce(?, label) AND cid IN ({marks})", (owner, label, *cids))


def _delete(connection: sqlite3.Connection, where: str, values: Sequence[object]) -> int:
    query = f"DELETE FROM roots WHERE {where} RETURNING cid, owner, label, kind"  # noqa: S608 - written above
    gone = connection.execute(query, values).fetchall()
    for cid, owner, label, kind in gone:
        _tell(connection, RELEASED, Root(CID.parse(cid), owner, label, kind))
    return len(gone)


def _tell(connection: sqlite3.Connection, what: str, root: Root) -> None:
    events.tell(connection, TOPIC, what, str(root.cid), owner=root.owner, label=root.label, scope=root.kind)


def _is_here(connection: sqlite3.Connection, cid: CID) -> bool:
    if cid.multihash.code == IDENTITY:
        return True
    queries = [
        ("SELECT 1 FROM files WHERE cid = ?", bytes(cid.to_v1())),
        ("SELECT 1 FROM blocks WHERE multihash = ?", cid.multihash.encode()),
    ]
    if cid.multihash.code == SHA2_256:
        queries.append(("SELECT 1 FROM leaves WHERE digest = ? LIMIT 1", cid.multihash.digest))
    return any(connection.execute(query, (key,)).fetchone() is not None for query, key in queries)
