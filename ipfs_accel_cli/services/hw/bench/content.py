"""How fast content is addressed here: sha-256, the CID of a file, blocks put and got."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from ipfs_accel_cli.content.cid import CID, RAW
from ipfs_accel_cli.content.hashing import file_cid
from ipfs_accel_cli.content.profiles import DEFAULT_PROFILE, PROFILES
from ipfs_accel_cli.core.figures import Row
from ipfs_accel_cli.core.parallel import usable_cores
from ipfs_accel_cli.services.hw.bench.measuring import Effort, held, measured, rate

_FILE_BYTES = 128 << 20
_LEAF_BYTES = 1 << 20
_BLOCKS, _BLOCK_BYTES = 64, 256 << 10
_USUAL_SAMPLES = Effort().samples


class Session(Protocol):
    """Blocks that enter a store together."""

    def block(self, cid: CID, data: bytes) -> None: ...
    def commit(self) -> None: ...


class Store(Protocol):
    """A content store for the time of a measurement."""

    def session(self) -> AbstractContextManager[Session]: ...
    def block(self, cid: CID) -> bytes: ...


Opened = Callable[[Path], AbstractContextManager[Any]]


def bench(folder: Path, opened: Opened, effort: Effort) -> list[Row]:
    """Measure in a temporary folder below `folder`, with a store of its own that `opened` makes there."""
    size_bytes = effort.bytes(_FILE_BYTES)
    if effort.size_bytes or effort.samples > _USUAL_SAMPLES:
        import psutil

        # Every sample puts blocks that are kept until the end, one warm-up besides.
        written = size_bytes + (effort.samples + 1) * _BLOCKS * _BLOCK_BYTES
        held("content", "the file and the blocks", written, shutil.disk_usage(folder).free, "the disk")
        held("content", "the bytes of the file", size_bytes, psutil.virtual_memory().available, "memory")
    data = os.urandom(size_bytes)
    cores = usable_cores()
    with tempfile.TemporaryDirectory(dir=folder, prefix=".bench-") as made:
        path = Path(made) / "file"
        path.write_bytes(data)
        profile = PROFILES[DEFAULT_PROFILE]
        rows = [
            _hashing(data, threads, effort).model_copy(update={"threads": threads}) for threads in sorted({1, cores})
        ]
        rows.append(measured("cid", "bytes/s", rate(size_bytes, lambda: file_cid(path, profile)), effort))
        return [*rows, *_blocks(Path(made) / "home", opened, effort)]


def _hashing(data: bytes, threads: int, effort: Effort) -> Row:
    view = memoryview(data)
    leaves = [view[at : at + _LEAF_BYTES] for at in range(0, len(view), _LEAF_BYTES)]
    with ThreadPoolExecutor(threads) as pool:

        def work() -> None:
            for _ in pool.map(lambda leaf: hashlib.sha256(leaf).digest(), leaves):
                pass

        return measured(f"sha256-{threads}", "bytes/s", rate(len(data), work), effort)


def _blocks(home: Path, opened: Opened, effort: Effort) -> list[Row]:
    put: list[CID] = []

    def put_some() -> None:
        blocks = [os.urandom(_BLOCK_BYTES) for _ in range(_BLOCKS)]
        named = [(CID.of(data, RAW), data) for data in blocks]
        with store.session() as session:
            for cid, data in named:
                session.block(cid, data)
            session.commit()
        put.extend(cid for cid, _ in named)

    def get_some() -> None:
        for cid in put[:_BLOCKS]:
            store.block(cid)

    with opened(home) as made:
        store: Store = made
        total = _BLOCKS * _BLOCK_BYTES
        return [
            measured("block-put", "bytes/s", rate(total, put_some), effort),
            measured("block-get", "bytes/s", rate(total, get_some), effort),
        ]
