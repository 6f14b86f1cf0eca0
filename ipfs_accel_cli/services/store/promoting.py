"""Putting the files of an incoming DAG together: leaves become one object wherever all of them are here.

What the roots reach may be in the session or in the store already. All of it is staged again, so that a gc which runs
meanwhile cannot take away what the new roots rely on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ipfs_accel_cli.content.builder import TreeBuilder
from ipfs_accel_cli.content.cid import CID, DAG_PB
from ipfs_accel_cli.content.dag import links
from ipfs_accel_cli.content.errors import ContentError, Malformed
from ipfs_accel_cli.content.profiles import PROFILES, Profile
from ipfs_accel_cli.content.unixfs import Unixfs, read
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.services.store.arriving import Arriving
from ipfs_accel_cli.services.store.index import FRAMED_RAW, Leaf
from ipfs_accel_cli.services.store.segments import Segment
from ipfs_accel_cli.services.store.session import PutSession
from ipfs_accel_cli.services.store.staging import StagedObject
from ipfs_accel_cli.services.store.walking import Frontier

_MAX_LEVELS = 64
_STEP_BYTES = 64  # What following a link counts for, so that links to nothing cost an attacker's budget too.
_ROWS_AT_ONCE = 4096


class Promotion:
    """One pass over what the roots reach; `files` were put together, `missing` blocks are nowhere.

    `budget_bytes` bounds what all files together may grow to: a DAG of a few kilobytes can name a file of any size by
    repeating its links. What goes beyond it stays a DAG of blocks, which can be read all the same.
    """

    def __init__(self, session: PutSession, arriving: Arriving, *, budget_bytes: int) -> None:
        self.files = self.missing = 0
        self._session = session
        self._staging = session.staging
        self._arriving = arriving
        self._budget_bytes = budget_bytes

    def run(self, roots: Iterable[CID]) -> None:
        """Walk from the roots; keep every leaf that no file took up as a block."""
        with Frontier() as frontier:
            frontier.push(roots)
            while (ahead := frontier.pop()) is not None:
                current().check()
                self._visit(*ahead, frontier)
        for multihash in self._arriving.segments.unused():
            cid = CID.parse(b"\x01\x55" + multihash)
            leaf = self._arriving.leaf(cid)
            if leaf is not None:
                self._staging.add_block(multihash, leaf.block(self._arriving.content(leaf)))

    def kind(self, root: CID) -> str:
        """Say what a root is: file, directory, symlink or block."""
        if self._staging.has_file(bytes(root.to_v1())):
            return "file"
        message = _message(root, self._arriving.node(root))
        return message.kind if message is not None and message.kind in ("file", "directory", "symlink") else "block"

    def _visit(self, cid: CID, inside: bool, frontier: Frontier) -> None:
        if not inside and self._promote(cid):
            return
        data = self._arriving.node(cid)
        if data is None:
            self._keep_leaf(cid)
            return
        message = _message(cid, data)
        try:
            below = links(cid, data)
        except ContentError:
            below = []
        # Leaves of a file that could not be put together are no files of their own.
        frontier.push(below, inside=inside or (message is not None and message.kind in ("file", "raw")))

    def _keep_leaf(self, cid: CID) -> None:
        if self._arriving.segments.find(cid) is not None:
            return
        leaf = self._arriving.leaf(cid)
        if leaf is None:
            self.missing += 1
        else:
            self._staging.add_block(cid.multihash.encode(), leaf.block(self._arriving.content(leaf)))

    def _promote(self, cid: CID) -> bool:
        """Make a file of a DAG whose leaves are all here; False for anything else."""
        number, _ = self._staging.new_file()
        spent = 0
        size_bytes = position = 0
        rows = []
        for leaf in self._leaves(cid):
            spent += _STEP_BYTES + (leaf.length if leaf else 0)
            if leaf is None or (spent > self._budget_bytes):
                self._staging.execute("DELETE FROM leaves WHERE number = ?", (number,))
                return False
            rows.append((position, leaf.digest, leaf.framing, size_bytes, leaf.length))
            position, size_bytes = position + 1, size_bytes + leaf.length
            if len(rows) >= _ROWS_AT_ONCE:
                self._staging.add_leaves(number, rows)
                rows.clear()
        self._staging.add_leaves(number, rows)
        self._budget_bytes -= spent
        self._adopt(cid, number, size_bytes)
        self.files += 1
        return True

    def _leaves(self, root: CID) -> Iterator[Leaf | None]:
        """Yield the leaves of a file in order, and None as soon as it cannot be put together."""
        stack: list[tuple[CID, int | None, int]] = [(root, None, 0)]
        while stack:
            current().check()
            cid, stated, level = stack.pop()
            leaf = self._arriving.leaf(cid)
            if leaf is not None:
                yield leaf if stated in (None, leaf.length) else None
                continue
            inner = self._arriving.inner(cid)
            sizes = sum(size for _, size in inner.children) if inner else None
            if inner is None or level > _MAX_LEVELS or stated not in (None, sizes):
                yield None
                return
            stack.extend((child, size, level + 1) for child, size in reversed(inner.children))

    def _adopt(self, cid: CID, number: int, size_bytes: int) -> None:
        sha256, segment = self._bytes(cid, number, size_bytes)
        self._session.adopt(StagedObject(sha256, size_bytes, segment.path if segment else None))
        if segment is not None:
            segment.path, segment.adopted = self._session.bytes_of(sha256), True
        inner = self._arriving.inner(cid)
        leaf = next(self._rows(number))
        total_bytes = inner.total_bytes if inner else sum(map(len, leaf.frame())) + leaf.length
        profile = self._recognise(cid, number)
        self._staging.add_file(number, bytes(cid.to_v1()), cid.version, sha256, profile, total_bytes)

    def _bytes(self, cid: CID, number: int, size_bytes: int) -> tuple[bytes, Segment | None]:
        """Return the sha-256 of a file and where its bytes are; no segment when the store holds them in good order."""
        here = self._arriving.index.find_file(cid)
        if here is not None and self._session.in_store(here.object.sha256):
            return here.object.sha256, None
        segment = self._sole_segment(number, size_bytes)
        if segment is None:
            segment = self._arriving.segments.new()
            for leaf in self._rows(number):
                current().check()
                segment.append(self._arriving.content(leaf))
            segment.close()
        if segment.adopted:
            return segment.sha256, None
        segment.path.chmod(0o444)
        return segment.sha256, segment

    def _sole_segment(self, number: int, size_bytes: int) -> Segment | None:
        """Return the segment that is this file from its first byte to its last, if there is one."""
        segments = self._arriving.segments
        first = None
        for leaf in self._rows(number):
            piece = segments.find(leaf.cid(1))
            if piece is None or piece.offset != leaf.offset or piece.segment != (first or piece.segment):
                return None
            first = piece.segment
        return None if first is None else segments.sole(first, size_bytes)

    def _rows(self, number: int) -> Iterator[Leaf]:
        query = """
            SELECT position, digest, framing, offset, length FROM leaves
            WHERE number = ? AND position >= ? ORDER BY position LIMIT 4096
        """
        start = 0
        while rows := self._staging.execute(query, (number, start)):
            for position, digest, framing, offset, length in rows:
                yield Leaf(digest, framing, offset, length)
                start = position + 1

    def _recognise(self, cid: CID, number: int) -> str | None:
        """Return the profile that cuts this file in just this way; None for another tool's way."""
        for profile in PROFILES.values():
            if profile.cid_version == cid.version and self._rebuilds(cid, number, profile):
                return profile.name
        return None

    def _rebuilds(self, cid: CID, number: int, profile: Profile) -> bool:
        tree = TreeBuilder(profile)
        full = True
        for leaf in self._rows(number):
            if not full or (leaf.framing == FRAMED_RAW) != profile.raw_leaves:
                return False
            full = leaf.length == profile.chunk_bytes
            try:
                tree.leaf(leaf.digest, leaf.length)
            except Malformed:
                return False
        return tree.finish().cid == cid


def _message(cid: CID, data: bytes | None) -> Unixfs | None:
    try:
        return read(data).unixfs if data is not None and cid.codec == DAG_PB else None
    except ContentError:
        return None
