"""Garbage collection: marking what the roots reach, then removing what was here before and was not reached."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.multihash import SHA2_256
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.files import locked
from ipfs_accel_cli.services.store.blocks import Blocks
from ipfs_accel_cli.services.store.index import Index
from ipfs_accel_cli.services.store.lease import lease, protected
from ipfs_accel_cli.services.store.results import Collected
from ipfs_accel_cli.services.store.schema import last_sequence
from ipfs_accel_cli.services.store.walking import Frontier, Visit, walk

# Dropped first as well: a collection that was interrupted may have left its marks on a connection that lives on.
_MARKS = """
DROP TABLE IF EXISTS temp.reached_files;
DROP TABLE IF EXISTS temp.reached_blocks;
DROP TABLE IF EXISTS temp.found_objects;
"""
_TABLES = (
    "CREATE TEMP TABLE reached_files (id INTEGER PRIMARY KEY)",
    "CREATE TEMP TABLE reached_blocks (multihash BLOB PRIMARY KEY) WITHOUT ROWID",
    "CREATE TEMP TABLE found_objects (sha256 BLOB PRIMARY KEY) WITHOUT ROWID",
)
_DOOMED_FILES = "FROM files WHERE sequence <= :before AND id NOT IN (SELECT id FROM temp.reached_files)"
