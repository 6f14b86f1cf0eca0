"""What is sent of a DAG: its whole files under their names, and the blocks that join them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from ipfs_accel_cli.backends.base import Body
from ipfs_accel_cli.content.cid import CID, DAG_CBOR
from ipfs_accel_cli.content.errors import ContentError
from ipfs_accel_cli.content.manifest import Manifest
from ipfs_accel_cli.content.multihash import IDENTITY
from ipfs_accel_cli.core.errors import NotFound
from ipfs_accel_cli.services.store.index import StoredObject, WholeFile
from ipfs_accel_cli.services.store.reading import Reader, object_range
from ipfs_accel_cli.services.store.walking import Frontier, Visit, walk

_DEEPEST = 256


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A DAG that is complete in the store; `named` are its whole files by their paths in it."""

    root: CID
    named: dict[str, CID]
    files: dict[CID, WholeFile]
    _reader: Reader

    @classmethod
    def of(cls, reader: Reader, root: CID) -> Outgoing:
        """Look at a DAG; raises NotFound where a block of it is not here."""
        files = {
            visit.cid.to_v1(): visit.file
            for visit in _walked(reader, root, leaves=False)
            if visit.file is not None and visit.file.profile is not None
        }
        named = {path: cid for path, cid in _paths(reader, root, "", 0) if cid in files}
        placed = set(named.values())
        named |= {f"files/{cid}": cid for cid in files if cid not in placed}
        return cls(root, dict(sorted(named.items())), files, reader)

    def blocks(self) -> Iterator[tuple[CID, bytes]]:
        """Yield the blocks that are in none of the files, parents before children."""
        foreign = any(
            visit.file is not None and visit.file.profile is None
            for visit in _walked(self._reader, self.root, leaves=False)
        )
        for visit in _walked(self._reader, self.root, leaves=foreign):
            if visit.cid.to_v1() in self.files or (visit.inside and not foreign):
                continue
            yield visit.cid, visit.data or self._reader.block(visit.cid)

    def nodes(self) -> Iterator[tuple[CID, bytes]]:
        """Yield the inner nodes of the files, by which a leaf can be proven alone."""
        for visit in _walked(self._reader, self.root, leaves=False):
            if visit.kind == "node" and (visit.inside or visit.cid.to_v1() in self.files):
                yield visit.cid, visit.data


def body_of(stored: StoredObject, cid: CID) -> Body:
    """Return a whole file of the store as what a backend is given."""

    def read(offset: int, length: int | None) -> Iterator[bytes | memoryview]:
        pieces = object_range(stored, offset, stored.size_bytes - offset if length is None else length)
        next(pieces)
        return pieces

    return Body(stored.size_bytes, stored.sha256, read, cid, stored.path)


def body_of_file(descriptor: int, size_bytes: int, sha256: bytes) -> Body:
    """Return an open file as what a backend is given."""

    def read(offset: int, length: int | None) -> Iterator[bytes | memoryview]:
        end = size_bytes if length is None else offset + length
        while offset < end and (piece := os.pread(descriptor, min(1 << 20, end - offset), offset)):
            offset += len(piece)
            yield piece

    return Body(size_bytes, sha256, read)


def _walked(reader: Reader, root: CID, *, leaves: bool) -> Iterator[Visit]:
    with Frontier() as frontier:
        for visit in walk(reader.index, reader.blocks, [root], frontier, inner_leaves=leaves):
            if visit.cid.multihash.code == IDENTITY:
                continue
            if visit.kind == "missing":
                raise NotFound(
                    f"the DAG of {root} is not complete: {visit.cid} is not in the store",
                    suggestion=f"ipfs-accel store dag stat {root}",
                )
            yield visit


def _paths(reader: Reader, cid: CID, at: str, depth: int) -> Iterator[tuple[str, CID]]:
    """Yield the files of a UnixFS tree, or of a model by its manifest; nothing for a DAG that is neither."""
    try:
        if cid.codec == DAG_CBOR:
            cid = Manifest.decode(reader.block(cid)).root
        named = reader.look(cid)
    except ContentError:
        return
    if named.kind == "file":
        yield at, cid.to_v1()
    elif named.kind == "directory" and depth < _DEEPEST:
        for name, link in reader.entries(cid):
            yield from _paths(reader, link.cid, f"{at}/{name}" if at else name, depth + 1)
