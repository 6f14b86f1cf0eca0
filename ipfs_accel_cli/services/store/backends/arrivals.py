"""What came from a backend and was proven here is a copy that lies there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ipfs_accel_cli.backends.base import Backend, Dags, Files
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.errors import AccelError, Cancelled
from ipfs_accel_cli.services.store.backends.copies import Known
from ipfs_accel_cli.services.store.backends.fetching import find_layout, layout_blocks
from ipfs_accel_cli.services.store.reading import Reader
from ipfs_accel_cli.services.store.walking import Frontier, walk
from ipfs_accel_cli.sources.base import Arrived


def known_of(backend: Backend, reader: Reader, root: CID, files: Sequence[Arrived]) -> Iterator[Known]:
    """Yield the copies that files of a DAG, which is whole here, prove; the DAG itself where all of it is proven.

    Its directories are read back for that. Where this fails only the files are known, which is no failure.
    """
    dags = isinstance(backend, Dags)
    for one in files:
        yield Known(one.cid, backend.name, one.locator, dags, one.size_bytes, one.sha256, "reread")
    try:
        locator = _whole(backend, reader, root, {one.cid.to_v1() for one in files})
    except Cancelled:
        raise
    except AccelError:
        return
    if locator:
        total = reader.look(root).total_bytes
        yield Known(root, backend.name, locator, True, total, None, "reread")


def _whole(backend: Backend, reader: Reader, root: CID, proven: set[CID]) -> str:
    with Frontier() as frontier:
        visits = [
            one for one in walk(reader.index, reader.blocks, [root], frontier, inner_leaves=False) if not one.inside
        ]
    files = {one.cid.to_v1() for one in visits if one.file is not None}
    between = [one.cid for one in visits if one.file is None]
    if not files <= proven:
        return ""
    if isinstance(backend, Dags):
        for cid in between:
            for _ in backend.get_dag(cid, scope="block"):
                pass
        return str(root)
    if isinstance(backend, Files):
        key, laid = find_layout(backend, backend.name, root)
        there = {block.cid.to_v1() for block in layout_blocks(backend, key)}
        there |= {file.cid.to_v1() for file in laid.files}
        return key if all(cid.to_v1() in there for cid in between) else ""
    return ""
