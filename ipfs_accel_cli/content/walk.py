"""Every block of a DAG, depth first."""

from __future__ import annotations

from collections.abc import Iterator

from . import dag
from .blocks import ReadBlock, bounded, load
from .cid import CID


def walk(
    root: CID,
    read_block: ReadBlock,
    *,
    max_depth: int | None = None,
    max_blocks: int | None = None,
    max_bytes: int | None = None,
) -> Iterator[tuple[CID, bytes, int]]:
    """Yield each block of a DAG once as (cid, bytes, depth), a block before those it links to, in link order.

    Blocks deeper than `max_depth` are left out (the root is at depth 0); reading more than `max_blocks` or
    `max_bytes` raises OverLimit. Blocks inside identity CIDs are yielded too, and not counted. Raises MissingBlock,
    Malformed, and Unsupported for a codec whose links cannot be read.
    """
    read = bounded(read_block, max_blocks=max_blocks, max_bytes=max_bytes)
    depths: dict[bytes, int] = {}
    stack = [(root, 0)]
    while stack:
        cid, depth = stack.pop()
        key = block_key(cid)
        known = depths.get(key)
        # Met again nearer to the root, a block may let some through that `max_depth` kept out before.
        if known is not None and (max_depth is None or known <= depth):
            continue
        depths[key] = depth
        data = load(cid, read if known is None else read_block)
        if known is None:
            yield cid, data, depth
        if max_depth is None or depth < max_depth:
            stack.extend((link, depth + 1) for link in reversed(dag.links(cid, data)))


def block_key(cid: CID) -> bytes:
    """Return what two CIDs of the same block, read the same way, have in common, whatever their version."""
    return bytes(cid if cid.version else cid.to_v1())
