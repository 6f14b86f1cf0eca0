"""Cutting a DAG into CAR shards: each is written to a nameless file of this machine while it is hashed.

A nameless file is gone with the process that wrote it, however that ends.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from ipfs_accel_cli.content import car, dag, varint
from ipfs_accel_cli.content.blocks import is_inline
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.errors import Mismatch, Unsupported
from ipfs_accel_cli.content.multihash import SHA2_256, Multihash
from ipfs_accel_cli.content.shardindex import Shard
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import NotFound, VerificationFailed
from ipfs_accel_cli.core.files import writing_into

# 127 MiB, which a Filecoin piece of 128 MiB just holds; the JavaScript client cuts there, too.
SHARD_BYTES = 127 << 20
CAR = 0x0202
_PIECE_BYTES = 1 << 20
_TOLD = 3


@dataclass(slots=True)
class Spool:
    """Bytes in a file that has no name, hashed as they were written."""

    file: IO[bytes]
    hashed: hashlib._Hash = field(default_factory=hashlib.sha256)
    size_bytes: int = 0

    def write(self, data: bytes) -> None:
        """Take some bytes."""
        self.file.write(data)
        self.hashed.update(data)
        self.size_bytes += len(data)

    @property
    def digest(self) -> Multihash:
        """Return the digest of all that was written."""
        return Multihash(SHA2_256, self.hashed.digest())

    @property
    def cid(self) -> CID:
        """Return the CID of the whole as a CAR."""
        return CID(1, CAR, self.digest)

    def pieces(self) -> Iterator[bytes]:
        """Read it from the beginning."""
        self.file.flush()
        offset = 0
        while piece := os.pread(self.file.fileno(), _PIECE_BYTES, offset):
            current().check()
            offset += len(piece)
            yield piece


@dataclass(slots=True)
class Cut:
    """A shard and its place in the index of the DAG."""

    spool: Spool
    shard: Shard


def spooled(data: bytes, folder: Path) -> Spool:
    """Return bytes as a spool."""
    with writing_into(folder):
        spool = Spool(tempfile.TemporaryFile(dir=folder))  # noqa: SIM115 - whoever gets it closes it
        spool.write(data)
    return spool


def cut(root: CID, blocks: Iterable[tuple[CID, bytes]], folder: Path, shard_bytes: int) -> Iterator[Cut]:
    """Yield the shards of a DAG, the same ones for the same blocks in the same order; each is gone after its turn.

    Raises VerificationFailed for a block that is not what its CID says, NotFound where one that is linked to did not
    come, and DiskFull.
    """
    source = _Ahead(_whole(root, blocks))
    while source.waiting is not None:
        with writing_into(folder), tempfile.TemporaryFile(dir=folder) as file:
            spool, slices = Spool(file), dict[Multihash, tuple[int, int]]()
            car.write(spool, [root], _fitting(source, spool, slices, shard_bytes))
            yield Cut(spool, Shard(spool.digest, spool.size_bytes, slices))


class _Ahead:
    """Blocks of which the next can be looked at before it is taken."""

    def __init__(self, blocks: Iterator[tuple[CID, bytes]]) -> None:
        self._blocks = blocks
        self.waiting = next(blocks, None)

    def take(self) -> None:
        self.waiting = next(self._blocks, None)


def _fitting(
    source: _Ahead, spool: Spool, slices: dict[Multihash, tuple[int, int]], shard_bytes: int
) -> Iterator[tuple[CID, bytes]]:
    """Yield blocks until the next would make the shard too large, at least one, and note where each comes to lie."""
    while source.waiting is not None:
        cid, data = source.waiting
        named = bytes(cid)
        start = spool.size_bytes + len(varint.encode(len(named) + len(data))) + len(named)
        if slices and start + len(data) > shard_bytes:
            return
        slices[cid.multihash] = (start, len(data))
        yield cid, data
        source.take()


def _whole(root: CID, blocks: Iterable[tuple[CID, bytes]]) -> Iterator[tuple[CID, bytes]]:
    """Pass each block on once, checked; raises NotFound at the end where some are missing."""
    came: set[Multihash] = set()
    awaited = {root.multihash: root}
    for cid, data in blocks:
        current().check()
        awaited.pop(cid.multihash, None)
        if cid.multihash in came or is_inline(cid):
            continue
        try:
            cid.verify(data)
        except Mismatch as error:
            raise VerificationFailed(f"{error}; nothing of it was sent") from error
        came.add(cid.multihash)
        with suppress(Unsupported):
            for link in dag.links(cid, data):
                if link.multihash not in came and not is_inline(link):
                    awaited[link.multihash] = link
        yield cid, data
    if awaited:
        some = ", ".join(str(cid) for cid in list(awaited.values())[:_TOLD])
        raise NotFound(f"{root} is not whole: {len(awaited)} of its blocks did not come, such as {some}")
