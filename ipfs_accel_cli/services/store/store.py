"""The store as the rest of the program sees it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.errors import Malformed
from ipfs_accel_cli.content.profiles import Profile
from ipfs_accel_cli.content.profiles import profile as named_profile
from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.errors import DiskFull, Invalid, NotFound
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.core.results import Blob
from ipfs_accel_cli.services.store import roots
from ipfs_accel_cli.services.store.blocks import Blocks, missing
from ipfs_accel_cli.services.store.index import Index, WholeFile
from ipfs_accel_cli.services.store.lease import lease
from ipfs_accel_cli.services.store.places import Places
from ipfs_accel_cli.services.store.reading import Reader
from ipfs_accel_cli.services.store.references import parse
from ipfs_accel_cli.services.store.roots import Root
from ipfs_accel_cli.services.store.session import PutSession


class Store:
    """Content by its address, in one home folder; shared by threads and by processes."""

    def __init__(self, home: Home, database: Database, profile: str) -> None:
        self._database = database
        self._profile = profile
        self._index = Index(Places(home), database)
        self._blocks = Blocks(self._index)
        self._reader = Reader(self._index, self._blocks)

    @contextmanager
    def session(self, profile: str | None = None) -> Iterator[PutSession]:
        """Open a put session; leaving it without `commit` leaves nothing. Raises HomeUnusable and DiskFull."""
        chosen = profile_named(profile or self._profile)
        self._index.places.home.ensure()
        self._index.connection()
        with disk_full_told(), lease(self._index.places, self._database) as held:
            session = PutSession(self._index, self._database, held, chosen)
            try:
                yield session
            finally:
                session.staging.close()

    def open(self, reference: str | CID, offset: int = 0, length: int | None = None) -> Blob:
        """Return bytes of a file by `CID[/path]`; raises NotFound, and Invalid for what is not a file."""
        return self._reader.content(self._reader.resolve(parse(reference)), offset, length)

    def block(self, cid: CID) -> bytes:
        """Return a block, checked against its CID; raises NotFound and VerificationFailed."""
        return self._blocks.read(cid)

    def has(self, cid: CID) -> bool:
        """Say whether the root block of a DAG is in the store."""
        return self._index.find_file(cid) is not None or self._blocks.has(cid)

    def object_path(self, cid: CID) -> Path:
        """Return the file that holds exactly the content of a file DAG, ready to be mapped; not to be written.

        Raises NotFound when the content is not here or not kept as a whole file, VerificationFailed when the file is
        visibly damaged.
        """
        return self._whole(cid).object.checked_path()

    def sha256(self, cid: CID) -> bytes:
        """Return the sha-256 of the content of a whole file; raises NotFound."""
        return self._whole(cid).object.sha256

    def keep(self, connection: sqlite3.Connection, root: Root) -> None:
        """Keep a DAG that is in the store, inside the caller's write transaction; raises NotFound."""
        roots.keep(connection, Root(*root))

    def release(self, connection: sqlite3.Connection, owner: str, label: str) -> int:
        """Stop keeping what an owner kept under a label, inside the caller's write transaction."""
        return roots.release(connection, owner, label)

    def _whole(self, cid: CID) -> WholeFile:
        file = self._index.find_file(cid)
        if file is not None:
            return file
        if self._blocks.has(cid):
            raise NotFound(f"{cid} is not kept as a whole file", suggestion=f"ipfs-accel store stat {cid}")
        raise missing(cid)


def profile_named(name: str) -> Profile:
    """Find a CID profile; raises Invalid with the names that exist."""
    try:
        return named_profile(name)
    except Malformed as error:
        raise Invalid(str(error)) from error


@contextmanager
def disk_full_told() -> Iterator[None]:
    """Turn SQLite's way of saying that the disk is full into ours."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "disk is full" in str(error):
            raise DiskFull("no space left while writing the database") from error
        raise
