"""The blocks that an import can rely on: those of its CAR file, and those that the store holds already."""

from __future__ import annotations

from dataclasses import dataclass

from ipfs_accel_cli.content import unixfs
from ipfs_accel_cli.content.builder import leaf_frame
from ipfs_accel_cli.content.cid import CID, DAG_PB, RAW
from ipfs_accel_cli.content.errors import ContentError, Mismatch
from ipfs_accel_cli.content.multihash import IDENTITY, SHA2_256
from ipfs_accel_cli.services.store.blocks import Blocks
from ipfs_accel_cli.services.store.index import FRAMED_FILE, FRAMED_RAW, Index, Leaf
from ipfs_accel_cli.services.store.segments import Segments
from ipfs_accel_cli.services.store.staging import Staging


@dataclass(frozen=True, slots=True)
class Inner:
    """An inner node of a file: its children and the content bytes of each; `total_bytes` as its links state it."""

    children: tuple[tuple[CID, int], ...]
    total_bytes: int


class Arriving:
    """Blocks by their CID, from the session or from the store."""

    def __init__(self, staging: Staging, segments: Segments, index: Index, blocks: Blocks) -> None:
        self.staging = staging
        self.segments = segments
        self.index = index
        self._blocks = blocks

    def has(self, cid: CID) -> bool:
        """Say whether a block is here."""
        return self.node(cid) is not None or self.leaf(cid) is not None

    def node(self, cid: CID) -> bytes | None:
        """Return a block that is not a leaf of a file; one from the store is staged, so that gc lets it be."""
        if cid.multihash.code == IDENTITY:
            return cid.multihash.digest
        key = cid.multihash.encode()
        staged = self.staging.block(key)
        if staged is not None:
            return staged
        data = self._blocks.peek(cid)
        try:
            if data is not None:
                cid.verify(data)
                self.staging.add_block(key, data)
        except Mismatch:
            return None
        return data

    def leaf(self, cid: CID) -> Leaf | None:
        """Find a leaf by its CID; `offset` means nothing here."""
        if cid.multihash.code != SHA2_256:
            return None
        digest = cid.multihash.digest
        piece = self.segments.find(cid)
        if piece is not None:
            return Leaf(digest, piece.framing, 0, piece.length)
        for _, leaf in self.index.holders(cid):
            return leaf
        data = self.node(cid)
        if data is None:
            return None
        if cid.codec == RAW:
            return Leaf(digest, FRAMED_RAW, 0, len(data))
        content = plain_content(data) if cid.codec == DAG_PB else None
        return None if content is None else Leaf(digest, FRAMED_FILE, 0, len(content))

    def inner(self, cid: CID) -> Inner | None:
        """Read an inner node of a file; None for anything else, also for a file that holds bytes in its nodes."""
        data = self.node(cid) if cid.codec == DAG_PB else None
        if data is None:
            return None
        try:
            entry = unixfs.read(data)
        except ContentError:
            return None
        if entry.kind != "file" or entry.unixfs.data or not entry.links:
            return None
        children = tuple(zip((link.cid for link in entry.links), entry.unixfs.block_sizes, strict=True))
        return Inner(children, len(data) + sum(link.size_bytes for link in entry.links))

    def content(self, leaf: Leaf) -> bytes:
        """Return the content of a leaf; raises NotFound and VerificationFailed when the store has lost it."""
        cid = leaf.cid(1)
        piece = self.segments.find(cid)
        if piece is not None:
            return self.segments.read(piece)
        block = self.staging.block(cid.multihash.encode()) or self._blocks.read(cid)
        start = len(leaf.frame()[0])
        return block[start : start + leaf.length]


def plain_content(data: bytes) -> bytes | None:
    """Return the content of a dag-pb leaf that is framed as our own are; None for any other block."""
    try:
        entry = unixfs.read(data)
    except ContentError:
        return None
    content = entry.unixfs.data
    head, tail = leaf_frame(len(content))
    if entry.kind != "file" or entry.links or data != b"".join((head, content, tail)):
        return None
    return content
