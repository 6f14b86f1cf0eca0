"""Why a block is kept, and where its bytes are."""

from __future__ import annotations

from collections.abc import Iterator

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.walk import block_key
from ipfs_accel_cli.core.errors import NotFound
from ipfs_accel_cli.services.store.backends.results import Copy
from ipfs_accel_cli.services.store.blocks import Blocks
from ipfs_accel_cli.services.store.dag_results import Keeper, Place, Where
from ipfs_accel_cli.services.store.index import Index
from ipfs_accel_cli.services.store.reading import Reader
from ipfs_accel_cli.services.store.roots import DIRECT
from ipfs_accel_cli.services.store.walking import Frontier, walk


def keepers(index: Index, blocks: Blocks, cid: CID) -> Iterator[Keeper]:
    """Yield each root that reaches a block, oldest first; walks every DAG that is kept until it meets the block."""
    wanted = block_key(cid)
    for row in index.roots():
        root = CID.parse(row["cid"])
        if _reaches(index, blocks, root, wanted, deep=row["kind"] != DIRECT):
            yield Keeper(owner=row["owner"], label=row["label"], kind=row["kind"], cid=str(root))


def where(reader: Reader, cid: CID, copies: list[Copy]) -> Where:
    """Say where a block's bytes are, here and at backends, and what keeps them; raises NotFound where none is known."""
    try:
        named = reader.look(cid)
    except NotFound:
        if not copies:
            raise
        return Where(cid=str(cid), kind="unknown", sha256=None, same_content=[], places=[], kept_by=[], copies=copies)
    file = named.file
    same = [] if file is None else [other.cid for other in reader.index.files() if other.object == file.object]
    return Where(
        cid=str(cid),
        kind=named.kind,
        sha256=None if file is None else file.object.sha256.hex(),
        same_content=[str(other) for other in same if other != cid],
        places=list(_places(reader.index, cid)),
        kept_by=list(keepers(reader.index, reader.blocks, cid)),
        copies=copies,
    )


def _reaches(index: Index, blocks: Blocks, root: CID, wanted: bytes, *, deep: bool) -> bool:
    if not deep:
        return block_key(root) == wanted
    with Frontier() as frontier:
        return any(block_key(visit.cid) == wanted for visit in walk(index, blocks, [root], frontier))


def _places(index: Index, cid: CID) -> Iterator[Place]:
    home = index.places.home.path
    file = index.find_file(cid)
    if file is not None:
        name = str(file.object.path.relative_to(home))
        yield Place(
            kind="object",
            name=name,
            offset=0,
            length=file.object.size_bytes,
            file=str(file.cid),
            profile=file.profile,
            damaged=file.object.damaged,
        )
    for holder, leaf in index.holders(cid):
        if file is not None and holder.id == file.id:
            continue
        yield Place(
            kind="object",
            name=str(holder.object.path.relative_to(home)),
            offset=leaf.offset,
            length=leaf.length,
            file=str(holder.cid),
            profile=holder.profile,
            damaged=holder.object.damaged,
        )
    multihash = cid.multihash.encode()
    row = index.find_block(multihash)
    if row is not None:
        inline = row["data"] is not None
        name = "state.db" if inline else str(index.places.block(multihash).relative_to(home))
        yield Place(kind="database" if inline else "block", name=name, offset=0, length=row["size_bytes"])
