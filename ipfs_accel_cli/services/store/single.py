"""Single blocks: read, described, converted in name, removed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from ipfs_accel_cli.content.cid import CID, codec_name
from ipfs_accel_cli.content.dag import links
from ipfs_accel_cli.content.errors import ContentError, Unsupported
from ipfs_accel_cli.content.multihash import IDENTITY
from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.errors import Conflict, Invalid
from ipfs_accel_cli.core.locks import locked
from ipfs_accel_cli.core.results import Blob
from ipfs_accel_cli.services.store.blocks import Blocks, missing
from ipfs_accel_cli.services.store.dag_results import BlockStat, Converted, PutBlock, RemovedBlocks
from ipfs_accel_cli.services.store.index import Index
from ipfs_accel_cli.services.store.keepers import keepers
from ipfs_accel_cli.services.store.putting_blocks import BlockPutter
from ipfs_accel_cli.services.store.references import parse_cid, root_only


class SingleBlocks:
    """The blocks of one store, each for itself."""

    def __init__(self, index: Index, blocks: Blocks, database: Database, putter: BlockPutter) -> None:
        self._index = index
        self._blocks = blocks
        self._database = database
        self._putter = putter

    def get(self, cid: str | CID) -> Blob:
        """Return a block's bytes, checked against its CID; raises NotFound and VerificationFailed."""
        found = root_only(cid)
        data = self._blocks.read(found)
        return Blob([data], len(data), str(found))

    def put(
        self,
        source: Path | None = None,
        text: str | None = None,
        *,
        codec: str = "raw",
        hash_name: str = "sha2-256",
        name: str | None = None,
        keep: bool = True,
    ) -> PutBlock:
        """Store bytes as one block; raises Invalid when they are not of the codec, LimitReached beyond 4 MiB."""
        data = self._putter.read(source, text)
        return self._putter.put(data, codec, hash_name, name or (source.name if source else None), keep=keep)

    def stat(self, cid: str | CID) -> BlockStat:
        """Describe one block; raises NotFound."""
        found = root_only(cid)
        data = self._blocks.read(found)
        try:
            count = len(links(found, data))
        except ContentError:
            count = None
        return BlockStat(
            cid=str(found),
            codec=codec_name(found.codec),
            hash=found.multihash.name,
            size_bytes=len(data),
            links=count,
        )

    def remove(self, cids: Sequence[str | CID]) -> RemovedBlocks:
        """Delete blocks that nothing needs, all of them or none.

        Raises NotFound, and Conflict for a block that a root reaches or that is a part of a whole file.
        """
        chosen = list(dict.fromkeys(root_only(cid) for cid in cids))
        self._index.connection()
        # Nobody else writes meanwhile, so what nothing needs now, nothing will need when it is gone.
        with locked(self._index.places.lock):
            sizes = [self._removable(cid) for cid in chosen]
            with self._database.write() as connection:
                for cid in chosen:
                    connection.execute("DELETE FROM blocks WHERE multihash = ?", (cid.multihash.encode(),))
            for cid in chosen:
                self._index.places.block(cid.multihash.encode()).unlink(missing_ok=True)
        return RemovedBlocks(cids=[str(cid) for cid in chosen], freed_bytes=sum(sizes))

    def convert(self, cids: Sequence[str], *, version: int | None, base: str | None) -> Iterator[Converted]:
        """Write CIDs in another version and base; raises Invalid for a form that a CID does not have."""
        for text in cids:
            cid = parse_cid(text)
            wanted = version if version is not None else (1 if base not in (None, "base58btc") else cid.version)
            try:
                converted = (cid.to_v0() if wanted == 0 else cid.to_v1()).encode(base)
            except Unsupported as error:
                raise Invalid(str(error)) from error
            yield Converted(cid=text, converted=converted)

    def _removable(self, cid: CID) -> int:
        row = self._index.find_block(cid.multihash.encode())
        for file, _ in self._index.holders(cid):
            raise Conflict(f"{cid} is a part of the file {file.cid}", suggestion=f"ipfs-accel store rm {file.cid}")
        if row is None or cid.multihash.code == IDENTITY:
            raise missing(cid)
        for keeper in keepers(self._index, self._blocks, cid):
            raise Conflict(
                f"{cid} is needed by {keeper.owner}:{keeper.label} ({keeper.cid})",
                suggestion=f"ipfs-accel store where {cid}",
            )
        return int(row["size_bytes"])
