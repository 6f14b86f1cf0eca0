"""Single blocks that somebody puts: read, named, and kept with what of their DAG is here."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from ipfs_accel_cli.content import ipld
from ipfs_accel_cli.content.car import MAX_BLOCK_BYTES, Block
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.dag import links
from ipfs_accel_cli.content.errors import Malformed
from ipfs_accel_cli.content.multihash import named
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Invalid, LimitReached
from ipfs_accel_cli.services.store.blocks import Blocks
from ipfs_accel_cli.services.store.checking import PARTIAL
from ipfs_accel_cli.services.store.dag_results import PutBlock
from ipfs_accel_cli.services.store.importing import take_in
from ipfs_accel_cli.services.store.index import Index
from ipfs_accel_cli.services.store.session import PutSession
from ipfs_accel_cli.services.store.sources import open_regular

SessionOpener = Callable[[], AbstractContextManager[PutSession]]


class BlockPutter:
    """Puts one block at a time."""

    def __init__(self, index: Index, blocks: Blocks, session: SessionOpener) -> None:
        self._index = index
        self._blocks = blocks
        self._session = session

    def read(self, source: Path | None, text: str | None) -> bytes:
        """Return the bytes of a file, of a text, else of the caller's input; raises Invalid and LimitReached."""
        if source is not None and text is not None:
            raise Invalid("a block comes from a file or from --text, not from both")
        if text is not None:
            data = text.encode("utf-8")
        elif source is not None:
            with open_regular(current().path(source)) as file:
                data = file.read(MAX_BLOCK_BYTES + 1)
        else:
            given = current().input
            if given is None:
                raise Invalid("there is no block: name a file, or give --text or standard input")
            with given() as stream:
                data = stream.read(MAX_BLOCK_BYTES + 1)
        if len(data) > MAX_BLOCK_BYTES:
            raise LimitReached(
                f"a block may have {MAX_BLOCK_BYTES} bytes at most", suggestion="ipfs-accel store put FILE"
            )
        return data

    def put(self, data: bytes, codec: str, hash_name: str, name: str | None, *, keep: bool) -> PutBlock:
        """Store a block under the CID that its bytes have; raises Invalid when they are not of the codec."""
        code = ipld.CODECS[codec]
        cid = CID(1, code, named(hash_name, data))
        try:
            below = links(cid, data)
        except Malformed as error:
            raise Invalid(f"these bytes are not {codec}: {error}") from error
        if keep:
            kind, complete = self._keep(cid, data, name or str(cid))
        else:
            kind, complete = "block", self._store(cid, data, below)
        return PutBlock(
            cid=str(cid),
            codec=codec,
            hash=hash_name,
            size_bytes=len(data),
            kept=keep,
            complete=complete,
            kind=kind,
        )

    def _keep(self, cid: CID, data: bytes, label: str) -> tuple[str, bool]:
        with self._session() as session:
            imported = take_in(session, self._index, self._blocks, label, [cid], [Block(cid, data)])
        (kind,) = {row["kind"] for row in self._index.roots(cid) if row["label"] == label} or {PARTIAL}
        return kind, imported.complete

    def _store(self, cid: CID, data: bytes, below: list[CID]) -> bool:
        with self._session() as session:
            session.block(cid, data)
            session.commit()
        return all(self._blocks.has(link) for link in below)
