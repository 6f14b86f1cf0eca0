"""Writing DAGs as a CAR file: depth first, each block once, the same bytes every time."""

from __future__ import annotations

import filecmp
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from ipfs_accel_cli.content import car
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.multihash import IDENTITY
from ipfs_accel_cli.core.errors import NotFound
from ipfs_accel_cli.services.store.blocks import Blocks
from ipfs_accel_cli.services.store.index import Index
from ipfs_accel_cli.services.store.results import Exported
from ipfs_accel_cli.services.store.scratch import rename_new, scratch_beside, taken
from ipfs_accel_cli.services.store.sources import Meter
from ipfs_accel_cli.services.store.walking import Frontier, walk


def export_car(index: Index, blocks: Blocks, roots: Sequence[CID], out: Path, size_bytes: int | None) -> Exported:
    """Write a CARv1 file under a temporary name, then rename it; `size_bytes` is what progress counts to.

    Raises NotFound when a block of the DAGs is not here, VerificationFailed when one is damaged, Conflict when another
    file has the name.
    """
    meter = Meter(size_bytes, f"exporting {out.name}")
    return write_car(roots, dag_blocks(index, blocks, roots, meter.add), out)


def write_car(roots: Sequence[CID], blocks: Iterable[tuple[CID, bytes]], out: Path) -> Exported:
    """Write blocks as they come under a temporary name, then rename it; an equal file that is there is no error.

    Raises Conflict when another file has the name.
    """
    count = 0

    def counted() -> Iterator[tuple[CID, bytes]]:
        nonlocal count
        for block in blocks:
            count += 1
            yield block

    with scratch_beside(out) as scratch:
        with scratch.open("xb") as file:
            written = car.write(file, roots, counted())
            file.flush()
            os.fsync(file.fileno())
        exists = os.path.lexists(out)
        if not exists:
            rename_new(scratch, out)
        elif not out.is_file() or not filecmp.cmp(scratch, out, shallow=False):
            raise taken(out)
    return Exported(
        path=str(out), roots=[str(root) for root in roots], blocks=count, size_bytes=written, unchanged=exists
    )


def dag_blocks(
    index: Index, blocks: Blocks, roots: Sequence[CID], progress: Callable[[int], None]
) -> Iterator[tuple[CID, bytes]]:
    """Yield each block of some DAGs once, checked, parents first; one that its CID carries in itself is left out.

    `progress` is told the bytes of each. Raises NotFound when a block is not here, VerificationFailed for damage.
    """
    with Frontier() as frontier:
        for visit in walk(index, blocks, roots, frontier):
            if visit.cid.multihash.code == IDENTITY:
                continue
            if visit.kind == "missing":
                raise NotFound(
                    f"the DAG is not complete: {visit.cid} is not in the store",
                    suggestion=f"ipfs-accel store stat {roots[0]}",
                )
            data = blocks.read(visit.cid)
            progress(len(data))
            yield visit.cid, data
