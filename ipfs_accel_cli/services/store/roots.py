"""Roots: what is kept, by whom and under which name; gc removes what no root reaches."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from typing import NamedTuple

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.multihash import IDENTITY, SHA2_256
from ipfs_accel_cli.core.errors import NotFound
from ipfs_accel_cli.services.store.schema import next_sequence

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
    connection.execute(
        "INSERT INTO roots VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (owner, label, cid) DO UPDATE SET"
        " kind = excluded.kind, sequence = excluded.sequence",
        (bytes(root.cid), root.owner, root.label, root.kind, now, next_sequence(connection)),
    )


def release(connection: sqlite3.Connection, owner: str, label: str, cid: CID | None = None) -> int:
    """Stop keeping what an owner kept under a label, or one CID of it, inside the caller's transaction.

    Returns how many roots went.
    """
    query = "DELETE FROM roots WHERE owner = ? AND label = ? AND cid = coalesce(?, cid)"
    return connection.execute(query, (owner, label, None if cid is None else bytes(cid))).rowcount


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
