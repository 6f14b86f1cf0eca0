"""One file on its way into a session: its bytes in the lease folder, its leaves in the tree and in the staging rows."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ipfs_accel_cli.content.builder import Built, TreeBuilder
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.profiles import Profile
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.services.store.index import FRAMED_FILE, FRAMED_RAW
from ipfs_accel_cli.services.store.ingest import WINDOW_BYTES, Ingest, clone, copy_range, write_all
from ipfs_accel_cli.services.store.staging import LeafRow, Staging

_LEAVES_AT_ONCE = 4096


class LeafSink:
    """Take the leaves of one file in order."""

    def __init__(self, staging: Staging, number: int, profile: Profile) -> None:
        self._staging = staging
        self._number = number
        self._framing = FRAMED_RAW if profile.raw_leaves else FRAMED_FILE
        self._tree = TreeBuilder(profile, self._keep)
        self._rows: list[LeafRow] = []
        self._position = self._offset = 0

    def add(self, digest: bytes, length: int) -> None:
        """Add the next leaf, by the sha-256 of its block and the bytes of its content."""
        self._tree.leaf(digest, length)
        self._rows.append((self._position, digest, self._framing, self._offset, length))
        self._position += 1
        self._offset += length
        if len(self._rows) >= _LEAVES_AT_ONCE:
            self._flush()

    def finish(self) -> Built:
        """Close the tree and return its root."""
        self._flush()
        return self._tree.finish()

    def _flush(self) -> None:
        self._staging.add_leaves(self._number, self._rows)
        self._rows.clear()

    def _keep(self, cid: CID, block: bytes) -> None:
        self._staging.add_block(cid.multihash.encode(), block)


@dataclass(slots=True)
class Incoming:
    """A file that is being written and hashed."""

    number: int
    path: Path
    leaves: LeafSink
    _descriptor: int
    _ingest: Ingest
    _size_bytes: int = 0

    def write(self, chunk: bytes | memoryview) -> None:
        """Append bytes."""
        count = memoryview(chunk).nbytes
        write_all(self._descriptor, chunk, self._size_bytes)
        self._grew(count)

    def clone(self, source: int, progress: Callable[[int], None]) -> bool:
        """Share the extents of another file; False, with nothing done, where the file system cannot."""
        if not clone(source, self._descriptor):
            return False
        # The clone is a snapshot, so its own size counts.
        size_bytes = os.fstat(self._descriptor).st_size
        while self._size_bytes < size_bytes:
            progress(self._grew(min(WINDOW_BYTES, size_bytes - self._size_bytes)))
        return True

    def copy(self, source: int, size_bytes: int, progress: Callable[[int], None]) -> None:
        """Copy so many bytes of another file, or up to its end: one that grows for ever is not followed."""
        while self._size_bytes < size_bytes:
            wanted = min(WINDOW_BYTES, size_bytes - self._size_bytes)
            count = copy_range(source, self._descriptor, self._size_bytes, wanted)
            if not count:
                break
            progress(self._grew(count))

    def finish(self) -> tuple[bytes, int]:
        """Hash the rest; return the sha-256 and the size in bytes."""
        digest, size_bytes = self._ingest.finish()
        os.fchmod(self._descriptor, 0o444)
        return digest, size_bytes

    def _grew(self, count: int) -> int:
        self._size_bytes += count
        self._ingest.grew(count)
        return count


@contextmanager
def incoming(staging: Staging, profile: Profile) -> Iterator[Incoming]:
    """Open a new file in the lease folder for the block; it is removed again when the block fails."""
    number, path = staging.new_file()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    leaves = LeafSink(staging, number, profile)
    try:
        with Ingest(descriptor, profile, leaves.add, current().check) as ingest:
            yield Incoming(number, path, leaves, descriptor, ingest)
    except BaseException:
        with suppress(FileNotFoundError):
            path.unlink()
        raise
    finally:
        os.close(descriptor)
