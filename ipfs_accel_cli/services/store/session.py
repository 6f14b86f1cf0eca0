"""A put session: files, directories and blocks that enter the store together, or not at all."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ipfs_accel_cli.content.builder import Built
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.errors import Changed
from ipfs_accel_cli.content.profiles import Profile
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.errors import Conflict, DiskFull, Invalid, VerificationFailed
from ipfs_accel_cli.core.locks import locked
from ipfs_accel_cli.core.units import human_bytes
from ipfs_accel_cli.services.store import folders, linking
from ipfs_accel_cli.services.store.committing import commit, stands
from ipfs_accel_cli.services.store.following import Followed
from ipfs_accel_cli.services.store.index import Index, identity
from ipfs_accel_cli.services.store.lease import Lease
from ipfs_accel_cli.services.store.receiving import LeafSink, incoming
from ipfs_accel_cli.services.store.roots import Root
from ipfs_accel_cli.services.store.sources import explained
from ipfs_accel_cli.services.store.staging import StagedObject, Staging

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that a session holds: `total_bytes` counts all blocks of its DAG, frames and inner nodes included."""

    cid: CID
    size_bytes: int
    sha256: bytes
    total_bytes: int


class PutSession:
    """What one writer adds; nothing of it is in the store before `commit`, and all of it is afterwards.

    `file` and `path` may run in several threads at a time.
    """

    def __init__(self, index: Index, database: Database, lease: Lease, profile: Profile) -> None:
        self.profile = profile
        self.staging = Staging(lease.folder)
        self._index = index
        self._database = database
        self._lease = lease

    def file(
        self, chunks: Iterable[bytes | memoryview], *, sha256: bytes | None = None, size_bytes: int | None = None
    ) -> StoredFile:
        """Store a file from its bytes, in constant memory; the chunks may be of any size.

        Raises VerificationFailed when the bytes do not have the `sha256` or the `size_bytes` that were stated, and
        DiskFull before anything is written when a stated size does not fit.
        """
        self._check_space(size_bytes or 0)
        with incoming(self.staging, self.profile) as file:
            for chunk in chunks:
                file.write(chunk)
            digest, length = file.finish()
            if size_bytes is not None and length != size_bytes:
                raise VerificationFailed(f"{length} bytes came where {size_bytes} were stated")
            if sha256 is not None and digest != sha256:
                raise VerificationFailed(
                    f"the bytes have the sha-256 {digest.hex()} where {sha256.hex()} was stated",
                    expected=sha256.hex(),
                    actual=digest.hex(),
                )
            return self._note(StagedObject(digest, length, file.path), file.number, file.leaves)

    def path(
        self, path: Path, *, link: bool = False, progress: Progress | None = None, follow: bool = True
    ) -> StoredFile:
        """Store a local file: by sharing its extents where the file system can, else by copying it.

        With `link` the store holds a hard link to the file instead. `progress` is told each count of bytes as they
        are stored. Without `follow` the path must not be a symbolic link. Raises NotFound, Conflict when the file
        changes meanwhile, Invalid when it cannot be read or linked or is not a regular file.
        """
        with explained(path):
            # Without O_NONBLOCK a named pipe would keep the call waiting for a writer.
            flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | (0 if follow else os.O_NOFOLLOW)
            source = os.open(path, flags)
        try:
            before = os.fstat(source)
            stored = self._store(path, source, link, progress or _nobody)
            after = os.fstat(source)
        except Changed as error:
            raise _changed(path) from error
        finally:
            os.close(source)
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise _changed(path)
        if stored.size_bytes != after.st_size:
            raise _changed(path)
        return stored

    def take(self, followed: Followed) -> StoredFile:
        """Store a file that was followed while it was written: by another name for it, without reading it again.

        It must lie in the home folder and not be written any more. Raises Conflict when it changed since.
        """
        number, target = self.staging.new_file()
        try:
            os.link(followed.path, target)
        except OSError:
            return self.path(followed.path)  # The file system knows no second names.
        if followed.profile != self.profile or identity(target.stat()) != followed.identity:
            target.unlink()
            return self.path(followed.path)
        target.chmod(0o444)
        leaves = LeafSink(self.staging, number, self.profile)
        for digest, length in followed.leaves:
            leaves.add(digest, length)
        return self._note(StagedObject(followed.sha256, followed.size_bytes, target), number, leaves)

    def directory(self, files: Mapping[str, StoredFile | Built]) -> Built:
        """Build the directories that hold files at relative paths such as `onnx/model.onnx`; return the outermost.

        Raises MalformedContent for a path that is absolute, leaves the directory, or is both a file and a directory.
        """
        return folders.build(files, self.profile, self.block)

    def block(self, cid: CID, data: bytes) -> None:
        """Store a single block; raises content.errors.Mismatch when it is not what its CID says."""
        cid.verify(data)
        self.staging.add_block(cid.multihash.encode(), data)

    def commit(self, roots: Iterable[Root] = (), also: Callable[[sqlite3.Connection], None] | None = None) -> None:
        """Move everything into the store and keep `roots`, durably and in one transaction that `also` joins.

        The session is over afterwards. Content that no root reaches is left to the next gc. Raises NotFound for a root
        that is neither here nor in the session.
        """
        commit(self.staging, self._index, self._database, [Root(*root) for root in roots], also)

    def adopt(self, staged: StagedObject) -> None:
        """Take a finished file of the lease folder for an object, or drop it where the store has the same."""
        if staged.path is not None and self.in_store(staged.sha256, linked=staged.link_identity is not None):
            staged.path.unlink()
            staged = StagedObject(staged.sha256, staged.size_bytes, None)
        self.staging.add_object(staged)

    def in_store(self, sha256: bytes, *, linked: bool = False) -> bool:
        """Say whether the store holds an object in good order, and let no gc take it before this session ends."""
        with locked(self._index.places.lock, shared=True):
            self._lease.found(sha256)
            return stands(self._index, sha256, linked=linked)

    def bytes_of(self, sha256: bytes) -> Path:
        """Return the file with the bytes of an object that this session adopted."""
        staged = self.staging.object_path(sha256)
        return staged if staged.exists() else self._index.places.object(sha256)

    def _store(self, path: Path, source: int, link: bool, progress: Progress) -> StoredFile:
        if not stat.S_ISREG(os.fstat(source).st_mode):
            raise Invalid(f"{path} is not a regular file")
        return self._link(path, source, progress) if link else self._copy(source, progress)

    def _copy(self, source: int, progress: Progress) -> StoredFile:
        with incoming(self.staging, self.profile) as file:
            if not file.clone(source, progress):
                size_bytes = os.fstat(source).st_size
                self._check_space(size_bytes)
                file.copy(source, size_bytes, progress)
            digest, length = file.finish()
            return self._note(StagedObject(digest, length, file.path), file.number, file.leaves)

    def _link(self, path: Path, source: int, progress: Progress) -> StoredFile:
        number, target = self.staging.new_file()
        identity = linking.link(path, source, target)
        leaves = LeafSink(self.staging, number, self.profile)
        digest, length = linking.digest(source, self.profile, leaves.add, current().check)
        progress(length)
        return self._note(StagedObject(digest, length, target, str(path.absolute()), identity), number, leaves)

    def _note(self, staged: StagedObject, number: int, leaves: LeafSink) -> StoredFile:
        built = leaves.finish()
        self.adopt(staged)
        key = bytes(built.cid.to_v1())
        self.staging.add_file(number, key, built.cid.version, staged.sha256, self.profile.name, built.total_bytes)
        return StoredFile(built.cid, staged.size_bytes, staged.sha256, built.total_bytes)

    def _check_space(self, size_bytes: int) -> None:
        free = shutil.disk_usage(self.staging.folder).free
        if size_bytes > free:
            raise DiskFull(f"{human_bytes(size_bytes)} do not fit the {human_bytes(free)} that are free")


def _nobody(count: int) -> None:
    """Take progress that nobody asked for."""


def _changed(path: Path) -> Conflict:
    return Conflict(f"{path} changed while it was read", suggestion="run the command again")
