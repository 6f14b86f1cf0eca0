"""Reading blocks by name, from wherever they are kept."""

from __future__ import annotations

from collections.abc import Callable

from .cid import CID
from .errors import OverLimit
from .multihash import IDENTITY

ReadBlock = Callable[[CID], bytes]
"""Returns the bytes of a block, or raises MissingBlock. What it returns is believed: see `verified`."""


def load(cid: CID, read_block: ReadBlock) -> bytes:
    """Return a block's bytes; an identity CID holds them itself, so no one is asked for those."""
    return cid.multihash.digest if is_inline(cid) else read_block(cid)


def is_inline(cid: CID) -> bool:
    """Say whether a CID holds its block instead of the block's digest."""
    return cid.multihash.code == IDENTITY


def verified(read_block: ReadBlock) -> ReadBlock:
    """Check each block that comes from a place not to be trusted; raises Mismatch or Unsupported as `CID.verify`."""

    def read(cid: CID) -> bytes:
        data = read_block(cid)
        cid.verify(data)
        return data

    return read


def bounded(read_block: ReadBlock, *, max_blocks: int | None = None, max_bytes: int | None = None) -> ReadBlock:
    """Raise OverLimit instead of reading a block too many, or after reading a byte too many."""
    blocks = size_bytes = 0

    def read(cid: CID) -> bytes:
        nonlocal blocks, size_bytes
        blocks += 1
        if max_blocks is not None and blocks > max_blocks:
            raise OverLimit(f"more than the {max_blocks} blocks that may be read: stopped at {cid}")
        data = read_block(cid)
        size_bytes += len(data)
        if max_bytes is not None and size_bytes > max_bytes:
            raise OverLimit(f"more than the {max_bytes} bytes that may be read: stopped at {cid}")
        return data

    return read
