"""Blocks in memory, for the tests of what reads DAGs."""

from __future__ import annotations

from typing import Any

from ipfs_accel_cli.content import dagcbor, dagjson, hashing
from ipfs_accel_cli.content.builder import Built, leaf_block, leaf_cid, leaf_digest
from ipfs_accel_cli.content.cid import CID, DAG_CBOR, DAG_JSON, RAW
from ipfs_accel_cli.content.errors import MissingBlock
from ipfs_accel_cli.content.multihash import IDENTITY, Multihash
from ipfs_accel_cli.content.profiles import Profile
from ipfs_accel_cli.content.unixfs import Metadata

SMALL = Profile("small", chunk_bytes=4, width=3, cid_version=1, raw_leaves=True, shard_over_bytes=200, shard_fanout=16)


class Blocks(dict[CID, bytes]):
    """Blocks by CID, and the order in which they were read."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: list[CID] = []

    def read(self, cid: CID) -> bytes:
        self.reads.append(cid)
        if cid not in self:
            raise MissingBlock(cid)
        return self[cid]

    def put(self, data: bytes, codec: int = RAW) -> CID:
        cid = CID.of(data, codec)
        self[cid] = data
        return cid

    def cbor(self, value: Any) -> CID:
        return self.put(dagcbor.encode(value), DAG_CBOR)

    def json(self, value: Any) -> CID:
        return self.put(dagjson.encode(value), DAG_JSON)

    def file(self, content: bytes, profile: Profile = SMALL, metadata: Metadata | None = None) -> Built:
        """Store a file with all its leaves."""
        step = profile.chunk_bytes
        for start in range(0, len(content) or 1, step):
            leaf = content[start : start + step]
            self[leaf_cid(leaf_digest(leaf, profile), profile)] = leaf_block(leaf, profile)
        return hashing.hash_bytes(content, profile, self.__setitem__, metadata)


def inline(data: bytes, codec: int = RAW) -> CID:
    """Return a CID that holds its block itself."""
    return CID(1, codec, Multihash(IDENTITY, data))
