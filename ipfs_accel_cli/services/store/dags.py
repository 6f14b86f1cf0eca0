"""DAGs as they are: values by path, blocks put by value, sizes, differences, and exports of a part."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ipfs_accel_cli.content import dagjson, ipld
from ipfs_accel_cli.content.car import Block
from ipfs_accel_cli.content.cid import CID, DAG_CBOR, DAG_JSON, codec_name
from ipfs_accel_cli.content.diff import diff
from ipfs_accel_cli.content.errors import Malformed
from ipfs_accel_cli.content.multihash import IDENTITY
from ipfs_accel_cli.content.resolve import Resolved, resolve
from ipfs_accel_cli.content.selection import ByteRange, Scope, select
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Invalid, LimitReached
from ipfs_accel_cli.core.results import Blob
from ipfs_accel_cli.services.store.dag_results import DagChange, DagStat, PutBlock, ResolvedPath
from ipfs_accel_cli.services.store.exporting import write_car
from ipfs_accel_cli.services.store.index import Index, Leaf
from ipfs_accel_cli.services.store.putting_blocks import BlockPutter
from ipfs_accel_cli.services.store.reading import Reader
from ipfs_accel_cli.services.store.references import Reference
from ipfs_accel_cli.services.store.results import Exported
from ipfs_accel_cli.services.store.sources import Meter
from ipfs_accel_cli.services.store.telling import told
from ipfs_accel_cli.services.store.walking import Frontier, walk

_MISSING_SHOWN = 10


class Dags:
    """The DAGs of one store."""

    def __init__(self, index: Index, reader: Reader, putter: BlockPutter) -> None:
        self._index = index
        self._reader = reader
        self._putter = putter

    @told()
    def get(self, reference: str | CID, codec: str = "dag-json") -> Blob:
        """Return the value that a reference leads to, written in a codec; `raw` gives the bytes of its block.

        Raises NotFound for a path that leads nowhere and a block that is not here, UnsupportedContent for a codec that
        cannot be read, Invalid for a value that has no form in the codec asked for.
        """
        end = self._resolve(self._reader.reference(reference))
        data = b""
        if codec == "raw":
            if end.remaining:
                raise Invalid(f"{end.remaining!r} lies inside the block {end.cid}, which is no block of its own")
            data = self._reader.block(end.cid)
        else:
            try:
                data = ipld.encode(ipld.CODECS[codec], self._value(end))
            except Malformed as error:
                raise Invalid(f"this value has no form in {codec}: {error}") from error
        return Blob([data], len(data), str(end.cid))

    @told()
    def put(
        self,
        source: Path | None = None,
        text: str | None = None,
        *,
        input_codec: str = "dag-json",
        store_codec: str = "dag-cbor",
        hash_name: str = "sha2-256",
        name: str | None = None,
        keep: bool = True,
    ) -> PutBlock:
        """Store one value as a block; it comes from a file, from `text`, else from the caller's input.

        What it links to need not be here. Raises Invalid for what is no value of the input codec, LimitReached for a
        block beyond 4 MiB, UnsupportedContent for a hash that cannot be computed.
        """
        data = self._putter.read(source, text)
        # Bytes of these two are kept as they are given: a dag-pb block may be written in two ways, by two names.
        if input_codec != store_codec or store_codec not in ("raw", "dag-pb"):
            try:
                data = ipld.encode(ipld.CODECS[store_codec], ipld.decode(ipld.CODECS[input_codec], data))
            except Malformed as error:
                raise Invalid(f"this is no {input_codec} that {store_codec} has a form for: {error}") from error
        return self._putter.put(data, store_codec, hash_name, name or (source.name if source else None), keep=keep)

    @told()
    def resolve(self, reference: str | CID) -> ResolvedPath:
        """Follow a path as far as it leads; raises NotFound."""
        end = self._resolve(self._reader.reference(reference))
        return ResolvedPath(cid=str(end.cid), remaining=end.remaining, kind=end.kind)

    @told()
    def stat(self, reference: str | CID, *, max_blocks: int | None = None, max_bytes: int | None = None) -> DagStat:
        """Count the blocks below a reference; raises LimitReached when there are more than were allowed."""
        cid = self._resolve(self._reader.reference(reference)).cid
        blocks = size_bytes = absent = 0
        missing: list[str] = []
        with Frontier() as frontier:
            for visit in walk(self._index, self._reader.blocks, [cid], frontier):
                if visit.kind == "missing":
                    absent += 1
                    missing += [str(visit.cid)] if absent <= _MISSING_SHOWN else []
                    continue
                blocks += 1
                size_bytes += len(visit.data) if visit.kind == "node" else self._leaf_bytes(visit.cid)
                _check_limits(cid, blocks, max_blocks, size_bytes, max_bytes)
                current().progress(blocks, None, "blocks counted")
        return DagStat(
            cid=str(cid),
            codec=codec_name(cid.codec),
            blocks=blocks,
            size_bytes=size_bytes,
            missing_blocks=absent,
            missing=missing,
            complete=not absent,
        )

    def diff(self, before: str | CID, after: str | CID) -> Iterator[DagChange]:
        """Yield the paths at which two DAGs differ; raises NotFound for blocks that are needed and not here."""
        sides = [self._resolve(self._reader.reference(side)).cid for side in (before, after)]
        with told():
            for change in diff(sides[0], sides[1], self._reader.block):
                yield DagChange(
                    path=change.path, kind=change.kind, before=_shown(change.before), after=_shown(change.after)
                )

    @told()
    def export(
        self, reference: str | CID, output: Path, *, scope: Scope = "all", byte_range: str | None = None
    ) -> Exported:
        """Write the blocks that prove what a reference leads to as a CAR file, those on the way first.

        Raises NotFound for a path or a block that is not here, Invalid for a range that is none, Conflict for another
        file of that name.
        """
        parsed = self._reader.reference(reference)
        chosen = None
        if byte_range is not None:
            try:
                chosen = ByteRange.parse(byte_range)
            except Malformed as error:
                raise Invalid(
                    str(error), suggestion="ipfs-accel store dag export CID -o FILE --bytes 0:1023"
                ) from error
        meter = Meter(None, f"exporting {output.name}")

        def blocks() -> Iterator[Block]:
            for block in select(parsed.cid, "/".join(parsed.path), scope, chosen, self._reader.block):
                if block.cid.multihash.code != IDENTITY:
                    meter.add(len(block.data))
                    yield block

        return write_car([parsed.cid], blocks(), current().path(output))

    def _resolve(self, reference: Reference) -> Resolved:
        return resolve(reference.cid, "/".join(reference.path), self._reader.block)

    def _value(self, end: Resolved) -> Any:
        if end.cid.codec in (DAG_CBOR, DAG_JSON):
            return end.value
        return ipld.decode(end.cid.codec, self._reader.block(end.cid))

    def _leaf_bytes(self, cid: CID) -> int:
        return next((_framed_bytes(leaf) for _, leaf in self._index.holders(cid)), 0)


def _framed_bytes(leaf: Leaf) -> int:
    return leaf.length + sum(map(len, leaf.frame()))


def _check_limits(cid: CID, blocks: int, max_blocks: int | None, size_bytes: int, max_bytes: int | None) -> None:
    if max_blocks is not None and blocks > max_blocks:
        raise LimitReached(f"{cid} has more than the {max_blocks} blocks that were allowed")
    if max_bytes is not None and size_bytes > max_bytes:
        raise LimitReached(f"{cid} has more than the {max_bytes} bytes that were allowed")


def _shown(side: Any) -> Any:
    """Return a side of a change as JSON has it: a CID as text, any other value as dag-json."""
    if side is None or isinstance(side, CID):
        return None if side is None else str(side)
    import json

    return json.loads(dagjson.encode(side))
