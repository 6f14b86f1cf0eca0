"""Where the leaves of an incoming DAG wait: in files that become objects as they are, where the order allows.

The leaves of a file that follow one another go to a segment of their own; all others share the first one.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

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


@dataclass(frozen=True, slots=True)
class Piece:
    """Where the content of a leaf lies."""

    segment: int
    offset: int
    length: int
    framing: int


class Segment:
    """A file that leaf contents are appended to; hashed as it grows. Once `adopted` it is an object's, at `path`."""

    adopted = False

    def __init__(self, number: int, path: Path) -> None:
        self.number = number
        self.path = path
        self.size_bytes = 0
        self._hash = hashlib.sha256()
        self._file = path.open("xb", buffering=0)

    @property
    def sha256(self) -> bytes:
        """Return the digest of what was appended."""
        return self._hash.digest()

    def append(self, content: bytes | memoryview) -> int:
        """Add the content of a leaf; return where it lies."""
        view = memoryview(content)
        while len(view):
            view = view[self._file.write(view) :]
        self._hash.update(content)
        self.size_bytes += len(content)
        return self.size_bytes - len(content)

    def close(self) -> None:
        """End the segment; what is in it can still be read."""
        self._file.close()


class Segments:
    """The leaves of one import."""

    def __init__(self, staging: Staging) -> None:
        self._staging = staging
        for statement in _SCHEMA:
            staging.execute(statement)
        self._segments: dict[int, Segment] = {}
        self._loose = self._new()
        self._run: Segment | None = None
        self._reading: tuple[int, int] | None = None

    def __enter__(self) -> Segments:
        return self

    def __exit__(self, *_: object) -> None:
        self._loose.close()
        self._end_run()
        if self._reading is not None:
            os.close(self._reading[1])

    def expect(self, node: CID, children: list[CID]) -> None:
        """Take note of an inner node of a file: the leaves below it are likely to follow one another."""
        if not self._is_expected(node):
            self._staging.execute("DELETE FROM expected")
            self._end_run()
        for child in children:
            self._staging.execute("INSERT OR IGNORE INTO expected VALUES (?)", (child.multihash.encode(),))

    def add(self, cid: CID, content: bytes | memoryview, framing: int) -> None:
        """Append the content of a leaf, unless it is here already."""
        if self.find(cid) is not None:
            return
        segment = self._loose
        if self._is_expected(cid):
            segment = self._run = self._run or self._new()
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

    def _new(self) -> Segment:
        number, path = self._staging.new_file()
        self._segments[number] = Segment(number, path)
        return self._segments[number]
