"""Ceasing to keep what somebody put or imported by hand."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.errors import Conflict, NotFound
from ipfs_accel_cli.services.store.index import Index, spellings
from ipfs_accel_cli.services.store.putting import USER
from ipfs_accel_cli.services.store.results import Removed
from ipfs_accel_cli.services.store.roots import METADATA, PINS, TRANSIT, release_cid

# What takes off a root of an owner whose command is not named like it. A deployment has several names.
_REMEDIES = {
    PINS: "ipfs-accel store pin rm {cid}",
    METADATA: "ipfs-accel store meta set {label} KEY=",
    TRANSIT: "ipfs-accel store sync {label}",
    "deploy": "ipfs-accel model deploy rm NAME",
    "path": "ipfs-accel store path rm {label}",
}


def remove(index: Index, database: Database, cids: Sequence[CID]) -> Removed:
    """Take the user's roots away, all of them or none; the bytes stay until gc.

    Raises NotFound for a CID that nothing keeps, Conflict for one that only another owner keeps.
    """
    index.connection()
    with database.write() as connection:
        count = sum(_release(index, connection, cid) for cid in dict.fromkeys(cids))
    return Removed(cids=[str(cid) for cid in dict.fromkeys(cids)], roots=count)


def _release(index: Index, connection: sqlite3.Connection, cid: CID) -> int:
    removed = release_cid(connection, USER, spellings(cid))
    if removed:
        return removed
    others = index.roots(cid)
    if not others:
        raise NotFound(f"{cid} is not kept here as a root", suggestion="ipfs-accel store ls")
    owner, label = others[0]["owner"], others[0]["label"]
    remedy = _REMEDIES.get(owner, "ipfs-accel {owner} rm {label}").format(owner=owner, label=label, cid=cid)
    raise Conflict(f"{cid} is kept by {owner}:{label}", suggestion=remedy)
