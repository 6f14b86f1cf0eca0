"""Where in which archive each block of a DAG lies: the sharded DAG index 0.1.

Source: https://github.com/storacha/RFC, content-claims-index: a CAR whose root lists one block for each shard.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import car, dagcbor
from .car import Block
from .cid import CID, DAG_CBOR
from .errors import Malformed
from .multihash import Multihash, decode

_VERSION = "index/sharded/dag@0.1"


@dataclass(slots=True)
class Shard:
    """An archive, and where in it the bytes of each block are, as (offset, length)."""

    digest: Multihash
    size_bytes: int
    slices: dict[Multihash, tuple[int, int]] = field(default_factory=dict)


def encode(root: CID, shards: Sequence[Shard]) -> bytes:
    """Write the index of a DAG; each shard is listed as one slice of itself, too."""
    listed = [_shard(one) for one in sorted(shards, key=lambda one: one.digest.digest)]
    body = dagcbor.encode({_VERSION: {"content": root, "shards": [block.cid for block in listed]}})
    first = Block(CID.of(body, DAG_CBOR), body)
    stream = io.BytesIO()
    car.write(stream, [first.cid], [first, *listed])
    return stream.getvalue()


def parse(data: bytes) -> tuple[CID, list[Shard]]:
    """Read an index: the root of the DAG and its shards; raises Malformed."""
    reader = car.open_reader(io.BytesIO(data), max_block_bytes=len(data))
    blocks = dict(reader.blocks)
    if not reader.roots or reader.roots[0] not in blocks:
        raise Malformed("the index has no root")
    root = dagcbor.decode(blocks[reader.roots[0]])
    index = root.get(_VERSION) if isinstance(root, dict) else None
    if not isinstance(index, dict) or not isinstance(index.get("content"), CID):
        raise Malformed(f"the archive is no {_VERSION}")
    return index["content"], [_parsed(link, blocks) for link in index.get("shards", [])]


def _shard(shard: Shard) -> Block:
    slices = sorted({**shard.slices, shard.digest: (0, shard.size_bytes)}.items(), key=lambda pair: pair[0].digest)
    listed = [[digest.encode(), [offset, length]] for digest, (offset, length) in slices]
    data = dagcbor.encode([shard.digest.encode(), listed])
    return Block(CID.of(data, DAG_CBOR), data)


def _parsed(link: Any, blocks: Mapping[CID, bytes]) -> Shard:
    try:
        name, listed = dagcbor.decode(blocks[link])
        digest = decode(name)[0]
        slices = {decode(one)[0]: (int(offset), int(length)) for one, (offset, length) in listed}
        whole = slices.pop(digest)
    except (KeyError, TypeError, ValueError) as error:
        raise Malformed("a shard of the index cannot be read") from error
    return Shard(digest, whole[1], slices)
