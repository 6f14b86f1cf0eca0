"""Looking things up: which object holds a file, which objects hold a leaf, what keeps a root."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ipfs_accel_cli.content.builder import leaf_frame
from ipfs_accel_cli.content.cid import CID, DAG_PB, RAW
from ipfs_accel_cli.content.multihash import SHA2_256
from ipfs_accel_cli.core import events
from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.errors import VerificationFailed
from ipfs_accel_cli.services.store.places import Places
from ipfs_accel_cli.services.store.schema import MIGRATIONS, OWNER

FRAMED_RAW = 0  # The block is the content.
FRAMED_FILE = 1  # The block is a dag-pb UnixFS file around the content.


@dataclass(frozen=True, slots=True)
class StoredObject:
    """A whole file of the store; `link_path` names the user's file where it is a hard link to one.

    `link_identity` holds two identities while another file takes the place of the link.
    """

    sha256: bytes
    size_bytes: int
    path: Path
    link_path: str | None
    link_identity: str | None
    damaged: bool

    def trouble(self) -> str | None:
        """Say what is visibly wrong with the file, without reading it."""
        try:
            return self._trouble(self.path.stat())
        except FileNotFoundError:
            return "the file is missing"

    def _trouble(self, status: os.stat_result) -> str | None:
        if status.st_size != self.size_bytes:
            return f"the file has {status.st_size} bytes instead of {self.size_bytes}"
        if self.link_identity is not None and identity(status) not in self.link_identity.split():
            return f"the linked file {self.link_path} was changed after it was put"
        return None

    def open(self) -> int:
        """Open the file for reading; raises VerificationFailed when something is visibly wrong with it."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise self._broken("the file is missing") from error
        trouble = self._trouble(os.fstat(descriptor))
        if trouble is not None:
            os.close(descriptor)
            raise self._broken(trouble)
        return descriptor

    def checked_path(self) -> Path:
        """Return the path; raises VerificationFailed when something is visibly wrong with the file."""
        trouble = self.trouble()
        if trouble is not None:
            raise self._broken(trouble)
        return self.path

    def _broken(self, trouble: str) -> VerificationFailed:
        return VerificationFailed(
            f"object {self.sha256.hex()}: {trouble}",
            suggestion="put the original file again: it replaces the damaged one",
            object=self.sha256.hex(),
        )


@dataclass(frozen=True, slots=True)
class WholeFile:
    """A file DAG that is a view of one object."""

    id: int
    cid: CID
    profile: str | None
    total_bytes: int
    object: StoredObject


@dataclass(frozen=True, slots=True)
class Leaf:
    """A block that is a stretch of an object, perhaps with a frame around it."""

    digest: bytes
    framing: int
    offset: int
    length: int

    def block(self, content: bytes) -> bytes:
        """Return the block's bytes from its content."""
        head, tail = self.frame()
        return head + content + tail if head else content

    def frame(self) -> tuple[bytes, bytes]:
        """Return what stands before and after the content."""
        return leaf_frame(self.length) if self.framing == FRAMED_FILE else (b"", b"")

    def cid(self, version: int) -> CID:
        """Return the block's CID as a DAG of that version writes it."""
        return CID.from_sha256(self.digest, DAG_PB if self.framing == FRAMED_FILE else RAW, version)


class Index:
    """Reading the tables of the store; each row becomes a value."""

    def __init__(self, places: Places, database: Database) -> None:
        self.places = places
        self._database = database
        self._migrated = False

    def connection(self) -> sqlite3.Connection:
        """Return this thread's connection, after making the tables if need be."""
        if not self._migrated:
            self._database.migrate(OWNER, MIGRATIONS)
            events.prepare(self._database)
            self._migrated = True
        return self._database.read()

    def find_object(self, sha256: bytes) -> StoredObject | None:
        """Find an object by its digest."""
        row = self._one("SELECT * FROM objects WHERE sha256 = ?", sha256)
        return None if row is None else self._object(row)

    def objects(self) -> Iterator[StoredObject]:
        """Yield every object."""
        for row in self.connection().execute("SELECT * FROM objects ORDER BY sha256").fetchall():
            yield self._object(row)

    def find_file(self, cid: CID) -> WholeFile | None:
        """Find the whole-file DAG with this root, in either CID version."""
        newer = cid.to_v1() if cid.version == 0 else cid
        row = self._one("SELECT * FROM whole_files WHERE cid = ?", bytes(newer))
        return None if row is None else self._file(row, newer)

    def files(self) -> Iterator[WholeFile]:
        """Yield every whole-file DAG."""
        for row in self.connection().execute("SELECT * FROM whole_files ORDER BY id").fetchall():
            yield self._file(row)

    def leaves(self, file: WholeFile) -> Iterator[Leaf]:
        """Yield the leaves of a whole file in their order."""
        query = "SELECT digest, framing, offset, length FROM leaves WHERE file = ? ORDER BY position"
        for row in self.connection().execute(query, (file.id,)):
            yield Leaf(row["digest"], row["framing"], row["offset"], row["length"])

    def holders(self, cid: CID) -> Iterator[tuple[WholeFile, Leaf]]:
        """Yield the files that hold a block as a leaf, those not known to be damaged first."""
        if cid.multihash.code != SHA2_256:
            return
        query = "SELECT * FROM held_leaves WHERE digest = ? GROUP BY id ORDER BY damaged, id"
        for row in self.connection().execute(query, (cid.multihash.digest,)).fetchall():
            yield self._file(row), Leaf(row["digest"], row["framing"], row["offset"], row["length"])

    def find_block(self, multihash: bytes) -> sqlite3.Row | None:
        """Find the row of a single block: `size_bytes`, and `data` unless the block is a file."""
        return self._one("SELECT size_bytes, data FROM blocks WHERE multihash = ?", multihash)

    def blocks(self, after: bytes = b"") -> Iterator[tuple[bytes, bytes | None]]:
        """Yield every single block by its multihash, in order; None where the file of a large one is missing."""
        last = after
        while row := self._one("SELECT * FROM blocks WHERE multihash > ? ORDER BY multihash LIMIT 1", last):
            last = row["multihash"]
            data = row["data"]
            if data is None:
                path = self.places.block(last)
                data = path.read_bytes() if path.exists() else None
            yield last, data

    def has_leaf(self, cid: CID) -> bool:
        """Say whether some object holds this block."""
        if cid.multihash.code != SHA2_256:
            return False
        return self._one("SELECT 1 FROM leaves WHERE digest = ? LIMIT 1", cid.multihash.digest) is not None

    def roots(self, cid: CID | None = None) -> list[sqlite3.Row]:
        """List what is kept, oldest first: all of it, or the roots with this CID in either version."""
        connection = self.connection()
        if cid is None:
            return connection.execute("SELECT * FROM roots ORDER BY sequence").fetchall()
        query = "SELECT * FROM roots WHERE cid IN (?, ?) ORDER BY sequence"
        return connection.execute(query, spellings(cid)).fetchall()

    def _one(self, query: str, *values: object) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self.connection().execute(query, values).fetchone()
        return row

    def _object(self, row: sqlite3.Row) -> StoredObject:
        path = self.places.object(row["sha256"])
        damaged = bool(row["damaged"])
        return StoredObject(row["sha256"], row["size_bytes"], path, row["link_path"], row["link_identity"], damaged)

    def _file(self, row: sqlite3.Row, cid: CID | None = None) -> WholeFile:
        cid = cid or CID.parse(row["cid"])
        written = cid.to_v0() if row["cid_version"] == 0 else cid
        return WholeFile(row["id"], written, row["profile"], row["total_bytes"], self._object(row))


def identity(status: os.stat_result) -> str:
    """Return what must stay the same of a linked file: device, inode, size and time of change."""
    return f"{status.st_dev}:{status.st_ino}:{status.st_size}:{status.st_mtime_ns}"


def spellings(cid: CID) -> tuple[bytes, bytes]:
    """Return the bytes of both versions of a CID, twice the same where there is only one."""
    newer = bytes(cid.to_v1())
    return newer, cid.multihash.encode() if cid.codec == DAG_PB else newer
