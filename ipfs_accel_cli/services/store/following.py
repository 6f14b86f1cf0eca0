"""Hashing a file that somebody else appends to, so that it can enter the store without being read again."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ipfs_accel_cli.content.profiles import Profile
from ipfs_accel_cli.services.store.index import identity
from ipfs_accel_cli.services.store.ingest import Ingest

# What arrives is sent to the disk while more arrives; less at a time would only make the disk seek.
_SYNC_BYTES = 32 << 20


@dataclass(frozen=True, slots=True)
class Followed:
    """A file that was hashed while it was written: the digest and the content bytes of each leaf, in order."""

    path: Path
    sha256: bytes
    size_bytes: int
    profile: Profile
    leaves: tuple[tuple[bytes, int], ...]
    identity: str


class Following:
    """Follow a file of our own whose writer only appends and says how much; close it in the end.

    Not for several threads. Memory stays under 32 MiB besides the digests, whatever the file's size.
    """

    def __init__(self, path: Path, profile: Profile, stop: Callable[[], None]) -> None:
        self._path, self._profile = path, profile
        self._leaves: list[tuple[bytes, int]] = []
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._ingest = Ingest(
            self._descriptor, profile, lambda digest, count: self._leaves.append((digest, count)), stop
        )
        self._syncer: ThreadPoolExecutor | None = None
        self._syncing: Future[None] | None = None
        self._unsynced_bytes = 0

    def grew(self, count: int) -> None:
        """Say that so many further bytes are in the file; waits when the hashing is far behind.

        Raises the OSError of a disk that failed.
        """
        self._ingest.grew(count)
        self._unsynced_bytes += count
        if self._unsynced_bytes >= _SYNC_BYTES and (self._syncing is None or self._syncing.done()):
            self._settle()
            self._syncer = self._syncer or ThreadPoolExecutor(max_workers=1)
            self._syncing = self._syncer.submit(os.fdatasync, self._descriptor)
            self._unsynced_bytes = 0

    def finish(self, *, sync: bool = True) -> Followed:
        """Hash the rest and wait until all of it is on the disk; call it once, when nothing more will come.

        Without `sync` it need not be there yet: a session that takes it sees to that when it commits.
        """
        sha256, size_bytes = self._ingest.finish()
        self._settle()
        if sync:
            os.fsync(self._descriptor)
        state = identity(os.fstat(self._descriptor))
        return Followed(self._path, sha256, size_bytes, self._profile, tuple(self._leaves), state)

    def close(self) -> None:
        """Let go of the file and of the threads; can be called again."""
        self._ingest.__exit__()
        if self._syncer is not None:
            self._syncer.shutdown()
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _settle(self) -> None:
        if self._syncing is not None:
            self._syncing.result()
            self._syncing = None
