"""Taking in a CAR file: every block is checked as it comes, then files are put together and the roots kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from ipfs_accel_cli.content import dagpb, unixfs
from ipfs_accel_cli.content.car import Block, open_reader
from ipfs_accel_cli.content.cid import CID, DAG_PB, RAW
from ipfs_accel_cli.content.dag import links
from ipfs_accel_cli.content.errors import Malformed, Unsupported
from ipfs_accel_cli.content.multihash import IDENTITY, SHA2_256
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import MalformedContent, UnsafeContent
from ipfs_accel_cli.core.parallel import ordered
from ipfs_accel_cli.services.store.arriving import Arriving, plain_content
from ipfs_accel_cli.services.store.blocks import Blocks
from ipfs_accel_cli.services.store.checking import PARTIAL
from ipfs_accel_cli.services.store.completing import completed, partial
from ipfs_accel_cli.services.store.index import FRAMED_FILE, FRAMED_RAW, Index
from ipfs_accel_cli.services.store.promoting import Promotion
from ipfs_accel_cli.services.store.putting import USER
from ipfs_accel_cli.services.store.results import Imported
from ipfs_accel_cli.services.store.roots import Root
from ipfs_accel_cli.services.store.segments import Segments
from ipfs_accel_cli.services.store.session import PutSession
from ipfs_accel_cli.services.store.sources import Meter

_VERIFYING_THREADS = 2  # They hash what comes next while the last block is written.
_GROWTH = 4
_ALLOWANCE_BYTES = 1 << 20


def import_car(session: PutSession, index: Index, blocks: Blocks, path: Path, stream: BinaryIO) -> Imported:
    """Read a CAR file, version 1 or 2, into a session and keep its roots; what is wrong with it keeps all of it out.

    Raises MalformedContent, VerificationFailed for a wrong hash, UnsafeContent for names that lead out of a directory,
    UnsupportedContent for hashes that cannot be computed.
    """
    reader = open_reader(stream, verify=False)
    if not reader.roots:
        raise MalformedContent(f"{path.name} names no root: nothing would keep its blocks")
    meter = Meter(path.stat().st_size, f"importing {path.name}")

    def metered() -> Iterator[Block]:
        for block in ordered(_verified, reader.blocks, _VERIFYING_THREADS):
            meter.add(len(block.data))
            yield block

    return take_in(session, index, blocks, path.name, reader.roots, metered())


def take_in(
    session: PutSession,
    index: Index,
    blocks: Blocks,
    label: str,
    roots: Sequence[CID],
    incoming: Iterable[Block],
    owner: str = USER,
) -> Imported:
    """Take verified blocks into a session, put files together wherever all of them are here, and keep the roots.

    What was kept in part before and is whole with these blocks is put together, too. Raises as `import_car`.
    """
    with Segments(session.staging) as segments:
        count = size_bytes = 0
        for block in incoming:
            current().check()
            _take(session, segments, block.cid, block.data)
            count, size_bytes = count + 1, size_bytes + len(block.data)
        arriving = Arriving(session.staging, segments, index, blocks)
        for root in roots:
            if not arriving.has(root):
                raise MalformedContent(f"{label} does not hold its root {root}, and the store does not either")
        promotion = Promotion(session, arriving, budget_bytes=_GROWTH * size_bytes + _ALLOWANCE_BYTES)
        promotion.run(roots)
        kinds = {root: PARTIAL if promotion.missing else promotion.kind(root) for root in roots}
        kept = [Root(root, owner, label, kind) for root, kind in kinds.items()]
        kept += completed(session, arriving, [root for root in partial(index) if root not in kept])
        segments.settle()
    session.commit(kept)
    return Imported(
        roots=[str(root) for root in roots],
        blocks=count,
        size_bytes=size_bytes,
        files=promotion.files,
        complete=not promotion.missing,
        missing_blocks=promotion.missing,
    )


def _verified(block: Block) -> Block:
    block.cid.verify(block.data)
    return block


def _take(session: PutSession, segments: Segments, cid: CID, data: bytes) -> None:
    if cid.multihash.code == IDENTITY:
        return
    if cid.multihash.code != SHA2_256:
        session.staging.add_block(cid.multihash.encode(), data)
    elif cid.codec == RAW:
        segments.add(cid, data, FRAMED_RAW)
    elif cid.codec == DAG_PB:
        _take_dag_pb(session, segments, cid, data)
    else:
        _check_links(cid, data)
        session.staging.add_block(cid.multihash.encode(), data)


def _take_dag_pb(session: PutSession, segments: Segments, cid: CID, data: bytes) -> None:
    node = dagpb.decode(data)
    message = _message(node)
    if message is not None and message.kind in ("directory", "hamt-shard"):
        # The link names of a shard begin with the slot number, and those of inner shards are nothing else.
        digits = len(f"{(message.fanout or 256) - 1:X}") if message.kind == "hamt-shard" else 0
        _check_names(cid, [link.name[digits:] for link in node.links if len(link.name) > digits or not digits])
    elif message is not None and message.kind == "file":
        content = None if node.links else plain_content(data)
        if content is not None:
            segments.add(cid, content, FRAMED_FILE)
            return
        segments.expect(cid, [link.cid for link in node.links])
    session.staging.add_block(cid.multihash.encode(), data)


def _message(node: dagpb.Node) -> unixfs.Unixfs | None:
    """Read the UnixFS message of a dag-pb block; None for one that is something else."""
    try:
        return None if node.data is None else unixfs.decode(node.data)
    except Malformed:
        return None


def _check_names(cid: CID, names: list[str]) -> None:
    for name in names:
        try:
            unixfs.check_name(name)
        except Malformed as error:
            raise UnsafeContent(f"the directory {cid} leads out of itself: {error}; nothing was kept") from error
    if len(set(names)) != len(names):
        raise UnsafeContent(f"the directory {cid} holds one name twice; nothing was kept")


def _check_links(cid: CID, data: bytes) -> None:
    """Refuse a block whose bytes are not of the codec that its CID states; unknown codecs pass."""
    try:
        links(cid, data)
    except Unsupported:
        return
