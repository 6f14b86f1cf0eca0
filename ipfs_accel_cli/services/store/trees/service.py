"""Trees as the commands and the file system use them: `TREE/PATH` is a file or a folder that can change."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from ipfs_accel_cli.content.builder import Built
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.errors import Malformed
from ipfs_accel_cli.content.unixfs import check_name
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Conflict, Invalid, NotFound
from ipfs_accel_cli.services.store.putting import USER
from ipfs_accel_cli.services.store.reading import Reader
from ipfs_accel_cli.services.store.roots import Root, keep, release
from ipfs_accel_cli.services.store.session import PutSession, StoredFile
from ipfs_accel_cli.services.store.trees.results import RemovedEntries, Snapshot, TreeEntry
from ipfs_accel_cli.services.store.trees.table import Row, Table

OWNER = "path"  # The owner of files of trees, under their paths.

OpenSession = Callable[[str | None], AbstractContextManager[PutSession]]


class Trees:
    """The trees of one home. A path is `TREE/NAMES`; a tree is there as soon as something is in it."""

    def __init__(self, reader: Reader, table: Table, session: OpenSession) -> None:
        self._reader = reader
        self._table = table
        self._session = session

    def find(self, path: str) -> TreeEntry:
        """Return what is at a path; raises NotFound, and Invalid for what is no path."""
        clean = checked(path)
        row = self._table.get(clean)
        if row is not None:
            return _entry(row)
        if not self._table.has_below(clean):
            raise NotFound(f"there is nothing at {path}", suggestion="ipfs-accel store path ls")
        return _folder(clean)

    def ls(self, path: str = "") -> Iterator[TreeEntry]:
        """Yield what is in a folder, or the trees that there are; a file yields itself. Raises NotFound."""
        clean = checked(path) if path else ""
        if clean and self.find(clean).kind == "file":
            yield self.find(clean)
            return
        before = f"{clean}/" if clean else ""
        last = ""
        for row in self._table.below(clean):
            name = row.path.removeprefix(before).partition("/")[0]
            if name == last:
                continue
            last = name
            yield _entry(row) if row.path == before + name else _folder(before + name)

    def write(self, path: str, chunks: Iterable[bytes | memoryview]) -> TreeEntry:
        """Let a path be a file with these bytes, from one moment to the next; raises Conflict where a folder is."""
        clean = checked(path)
        self._room_for(clean)
        with self._session(None) as session:
            stored: StoredFile = session.file(chunks)
            self._table.ready()
            session.commit([], also=lambda connection: self._place(connection, clean, stored.cid, stored.size_bytes))
        return self.find(clean)

    def put(self, file: str | Path, path: str) -> TreeEntry:
        """Let a path be what a file of this machine holds; raises NotFound and Invalid for what is no file."""
        clean = checked(path)
        self._room_for(clean)
        allowed = current().path(file)
        with self._session(None) as session:
            stored = session.path(allowed)
            self._table.ready()
            session.commit([], also=lambda connection: self._place(connection, clean, stored.cid, stored.size_bytes))
        return self.find(clean)

    def link(self, path: str, cid: CID) -> TreeEntry:
        """Let a path be a file that the store has; raises NotFound, and Invalid for what is no file."""
        clean = checked(path)
        self._room_for(clean)
        named = self._reader.readable(cid)
        self._table.ready()
        with self._table.database.write() as connection:
            self._place(connection, clean, cid, named.size_bytes)
        return self.find(clean)

    def make_folder(self, path: str) -> TreeEntry:
        """Make a folder; raises Conflict where something is."""
        clean = checked(path)
        if self._table.get(clean) is not None or self._table.has_below(clean):
            raise Conflict(f"{path} is there already", suggestion=f"ipfs-accel store path ls {path}")
        self._room_for(clean)
        self._table.ready()
        with self._table.database.write() as connection:
            self._table.put(connection, clean, None, 0)
        return self.find(clean)

    def remove(self, path: str, *, recursive: bool = False) -> RemovedEntries:
        """Take a file, or a folder, off; raises NotFound, and Conflict for a folder that holds something."""
        clean = checked(path)
        self.find(clean)
        inside = self._table.below(clean)
        if inside and not recursive:
            raise Conflict(f"{path} is a folder that holds something: --recursive takes all of it off")
        gone = [row.path for row in inside] + ([clean] if self._table.get(clean) is not None else [])
        with self._table.database.write() as connection:
            for one in gone:
                self._table.drop(connection, one)
                release(connection, OWNER, one)
        return RemovedEntries(paths=gone or [clean])

    def snapshot(self, path: str) -> Snapshot:
        """Return a folder as a directory of UnixFS, and keep that; a file is its CID already."""
        clean = checked(path)
        found = self.find(clean)
        if found.kind == "file":
            return Snapshot(cid=found.cid or "", path=clean, files=1, size_bytes=found.size_bytes)
        files = {row.path.removeprefix(f"{clean}/"): row for row in self._table.below(clean) if row.cid is not None}
        with self._session(None) as session:
            built = session.directory({name: self._built(row) for name, row in files.items()})
            session.commit([Root(built.cid, USER, clean, "directory")])
        size_bytes = sum(row.size_bytes for row in files.values())
        return Snapshot(cid=str(built.cid), path=clean, files=len(files), size_bytes=size_bytes)

    def _built(self, row: Row) -> Built:
        assert row.cid is not None
        return Built(row.cid, row.size_bytes, self._reader.look(row.cid).total_bytes)

    def _place(self, connection: sqlite3.Connection, path: str, cid: CID, size_bytes: int) -> None:
        release(connection, OWNER, path)
        keep(connection, Root(cid, OWNER, path, "file"))
        self._table.put(connection, path, cid, size_bytes)

    def _room_for(self, path: str) -> None:
        """Raise Conflict where a folder has the name, or a file has that of a folder above."""
        row = self._table.get(path)
        if (row is not None and row.cid is None) or self._table.has_below(path):
            raise Conflict(f"{path} is a folder", suggestion=f"ipfs-accel store path ls {path}")
        above = path
        while "/" in above:
            above = above.rpartition("/")[0]
            upper = self._table.get(above)
            if upper is not None and upper.cid is not None:
                raise Conflict(f"{above} is a file, and not a folder", suggestion=f"ipfs-accel store path ls {above}")


def checked(path: str) -> str:
    """Return a path without slashes at its ends; raises Invalid for a name that UnixFS cannot have."""
    names = [name for name in path.split("/") if name]
    if not names:
        raise Invalid("a path is TREE/NAMES, as in work/data.csv")
    try:
        return "/".join(check_name(name) for name in names)
    except Malformed as error:
        raise Invalid(f"{path!r}: {error}") from error


def _entry(row: Row) -> TreeEntry:
    kind = "directory" if row.cid is None else "file"
    return TreeEntry(
        path=row.path,
        kind=kind,
        size_bytes=row.size_bytes,
        cid=None if row.cid is None else str(row.cid),
        modified_at=row.modified_at.isoformat(timespec="milliseconds"),
    )


def _folder(path: str) -> TreeEntry:
    return TreeEntry(path=path, kind="directory", size_bytes=0, cid=None, modified_at=None)
