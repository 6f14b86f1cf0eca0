"""The blocks that a walk was given: all of them by name, and some with their bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from itertools import chain

from ipfs_accel_cli.content import dag
from ipfs_accel_cli.content.car import Block
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.walk import block_key

# A walk reads a block twice at most, and soon. Those that link others are small and are of use for longer.
_SMALL_BYTES = 128 << 10
_SMALL_KEPT_BYTES, _LARGE_KEPT_BYTES = 16 << 20, 2 << 20


class Delivered:
    """What was given; `size_bytes` counts every block once."""

    def __init__(self) -> None:
        self.size_bytes = 0
        self._keys: set[bytes] = set()
        self._small = _Recent(_SMALL_KEPT_BYTES)
        self._large = _Recent(_LARGE_KEPT_BYTES)

    def __contains__(self, key: object, /) -> bool:
        return key in self._keys

    def add(self, cid: CID, data: bytes) -> None:
        """Note that a block was given."""
        key = block_key(cid)
        if key not in self._keys:
            self._keys.add(key)
            self.size_bytes += len(data)
        (self._small if len(data) <= _SMALL_BYTES else self._large).add(key, Block(cid, data))

    def recent(self, cid: CID) -> bytes | None:
        """Return a block that was given lately."""
        key = block_key(cid)
        found = self._small.blocks.get(key) or self._large.blocks.get(key)
        return found.data if found else None

    def lately(self) -> Iterable[Block]:
        """Return what was given lately, the oldest first among those of a size."""
        return chain(self._large.blocks.values(), self._small.blocks.values())

    def after(self, cid: CID) -> list[CID]:
        """Return the blocks of the same kind that follow one under its parent and were not given, if that is known."""
        for parent in reversed([*self.lately()]):
            links = dag.links(parent.cid, parent.data)
            if cid in links:
                following = links[links.index(cid) + 1 :]
                return [one for one in following if one.codec == cid.codec and block_key(one) not in self._keys]
        return []


class _Recent:
    def __init__(self, max_bytes: int) -> None:
        self.blocks: OrderedDict[bytes, Block] = OrderedDict()
        self._max_bytes = max_bytes
        self._size_bytes = 0

    def add(self, key: bytes, block: Block) -> None:
        if key in self.blocks:
            return
        self.blocks[key] = block
        self._size_bytes += len(block.data)
        while self._size_bytes > self._max_bytes:
            self._size_bytes -= len(self.blocks.popitem(last=False)[1].data)
