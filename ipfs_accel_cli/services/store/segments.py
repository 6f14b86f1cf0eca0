"""Where the leaves of an incoming DAG wait: in files that become objects as they are, where the order allows.

The leaves of a file that follow one another go to a segment of their own; all others share the first one.
"""

from __future__ import annotations

import hashlib
import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.services.store.staging import Staging

_SCHEMA = (
    """
    CREATE TABLE pieces (
        multihash BLOB PRIMARY KEY, segment INTEGER, offset INTEGER, length INTEGER, framing INTEGER
    ) WITHOUT ROWID
    """,
    "CREATE TABLE expected (multihash BLOB PRIMARY KEY) WITHOUT ROWID",
    "CREATE INDEX leaves_by_digest ON leaves (digest)",
)

_WORTH_A_THREAD_BYTES = 64 << 10
_SYNC_BYTES = 32 << 20
_CONTENTS_AHEAD = 6  # What may wait to be hashed: 24 MiB at the most, as blocks are bounded.


@dataclass(frozen=True, slots=True)
class Piece:
    """Where the content of a leaf lies."""

    segment: int
    offset: int
    length: int
    framing: int


class Helpers:
    """The threads that work behind the writer of segments."""

    def __init__(self) -> None:
        self.hashing = ThreadPoolExecutor(max_workers=1)
        self._syncing = ThreadPoolExecutor(max_workers=1)
        self._synced: Future[None] | None = None

    def sync(self, file: IO[bytes]) -> bool:
        """Send what a file holds to the disk meanwhile; False, with nothing done, while another is on its way."""
        if self._synced is not None and not self._synced.done():
            return False
        self.settle()
        self._synced = self._syncing.submit(_sync, os.dup(file.fileno()))
        return True

    def settle(self) -> None:
        """Wait for what is on its way to the disk; raises the OSError of a disk that failed.

        The system tells of such an error once, so the sync of the commit would not hear of it again.
        """
        synced, self._synced = self._synced, None
        if synced is not None:
            synced.result()

    def close(self) -> None:
        """Wait for what runs, forget the rest."""
        self.hashing.shutdown(cancel_futures=True)
        self._syncing.shutdown()


class Segment:
    """A file that leaf contents are appended to; hashed as it grows. Once `adopted` it is an object's, at `path`.

    Large contents are hashed in one thread, and sent to the disk in another, while the next is written.
    """

    adopted = False

    def __init__(self, number: int, path: Path, helpers: Helpers) -> None:
        self.number = number
        self.path = path
        self.size_bytes = 0
        self._hash = hashlib.sha256()
        self._helpers = helpers
        self._unsynced_bytes = 0
        self._pending: deque[Future[None]] = deque()
        self._file = path.open("xb", buffering=0)

    @property
    def sha256(self) -> bytes:
        """Return the digest of what was appended."""
        self._wait(0)
        return self._hash.digest()

    def append(self, content: bytes) -> int:
        """Add the content of a leaf; return where it lies."""
        if self._pending or len(content) >= _WORTH_A_THREAD_BYTES:
            self._pending.append(self._helpers.hashing.submit(self._hash.update, content))
            self._wait(_CONTENTS_AHEAD)
        else:
            self._hash.update(content)
        view = memoryview(content)
        while len(view):
            view = view[self._file.write(view) :]
        self.size_bytes += len(content)
        self._unsynced_bytes += len(content)
        # The commit syncs all of it; by then most has to be on the disk, or the disk idles until the end.
        if self._unsynced_bytes >= _SYNC_BYTES and self._helpers.sync(self._file):
            self._unsynced_bytes = 0
        return self.size_bytes - len(content)

    def _wait(self, most: int) -> None:
        while len(self._pending) > most:
            self._pending.popleft().result()

    def close(self) -> None:
        """End the segment; what is in it can still be read. Raises OSError when the disk failed."""
        self._file.close()
        self._helpers.settle()


class Segments:
    """The leaves of one import."""

    def __init__(self, staging: Staging) -> None:
        self._staging = staging
        for statement in _SCHEMA:
            staging.execute(statement)
        self._helpers = Helpers()
        self._segments: dict[int, Segment] = {}
        self._loose = self.new()
        self._run: Segment | None = None
        self._reading: tuple[int, int] | None = None

    def __enter__(self) -> Segments:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # One that matters was raised by `settle`.
            self._loose.close()
            self._end_run()
        self._helpers.close()
        if self._reading is not None:
            os.close(self._reading[1])

    def settle(self) -> None:
        """Wait for what is on its way to the disk; raises the OSError of a disk that failed."""
        self._helpers.settle()

    def new(self) -> Segment:
        """Begin a segment of its own."""
        number, path = self._staging.new_file()
        self._segments[number] = Segment(number, path, self._helpers)
        return self._segments[number]

    def expect(self, node: CID, children: list[CID]) -> None:
        """Take note of an inner node of a file: the leaves below it are likely to follow one another."""
        if not self._is_expected(node):
            self._staging.execute("DELETE FROM expected")
            self._end_run()
        for child in children:
            self._staging.execute("INSERT OR IGNORE INTO expected VALUES (?)", (child.multihash.encode(),))

    def add(self, cid: CID, content: bytes, framing: int) -> None:
        """Append the content of a leaf, unless it is here already."""
        if self.find(cid) is not None:
            return
        segment = self._loose
        if self._is_expected(cid):
            segment = self._run = self._run or self.new()
        offset = segment.append(content)
        row = (cid.multihash.encode(), segment.number, offset, len(content), framing)
        self._staging.execute("INSERT INTO pieces VALUES (?, ?, ?, ?, ?)", row)

    def find(self, cid: CID) -> Piece | None:
        """Find a leaf."""
        query = "SELECT segment, offset, length, framing FROM pieces WHERE multihash = ?"
        rows = self._staging.execute(query, (cid.multihash.encode(),))
        return Piece(*rows[0]) if rows else None

    def read(self, piece: Piece) -> bytes:
        """Return the content of a leaf."""
        if self._reading is None or self._reading[0] != piece.segment:
            descriptor = os.open(self._segments[piece.segment].path, os.O_RDONLY | os.O_CLOEXEC)
            if self._reading is not None:
                os.close(self._reading[1])
            self._reading = (piece.segment, descriptor)
        return os.pread(self._reading[1], piece.length, piece.offset)

    def sole(self, number: int, size_bytes: int) -> Segment | None:
        """Return a segment that is to become an object as it is, if it has exactly this size."""
        segment = self._segments[number]
        if segment is self._loose or segment.size_bytes != size_bytes:
            return None
        segment.close()
        return segment

    def unused(self) -> list[bytes]:
        """Return the multihashes of the leaves that no whole file of the session took up."""
        query = """
            SELECT multihash FROM pieces WHERE substr(multihash, 3) NOT IN (
                SELECT digest FROM leaves JOIN files ON files.number = leaves.number
            )
        """
        return [row[0] for row in self._staging.execute(query)]

    def _is_expected(self, cid: CID) -> bool:
        key = cid.multihash.encode()
        return bool(self._staging.execute("SELECT 1 FROM expected WHERE multihash = ?", (key,)))

    def _end_run(self) -> None:
        if self._run is not None:
            self._run.close()
            self._run = None


def _sync(descriptor: int) -> None:
    try:
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)
