"""How fast the disk under the home folder is: written and synced, read past the page cache, small reads anywhere."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ipfs_accel_cli.core.errors import DiskFull
from ipfs_accel_cli.core.figures import Row, absent, row
from ipfs_accel_cli.core.units import human_bytes
from ipfs_accel_cli.services.hw.bench.measuring import Effort, held, measured

_FILE_BYTES = 256 << 20
_PIECE_BYTES = 1 << 20
_SMALL_BYTES = 4096
_SMALL_READS = 200
_SCATTER = 2654435761  # Knuth: multiples of it are spread evenly, and none is near to the one before.
_UNCACHED = "this system does not let a program read past its page cache"


def bench(folder: Path, effort: Effort) -> list[Row]:
    """Measure in a file without a name, which is gone when this process is, however it ends. Raises DiskFull."""
    size_bytes = effort.bytes(_FILE_BYTES)
    free = shutil.disk_usage(folder).free
    if effort.size_bytes:
        held("disk", "a file and as much room again", 2 * size_bytes, free, "the disk")
    if free < 2 * size_bytes:
        raise DiskFull(f"the disk has {human_bytes(free)} free, and a file of {human_bytes(size_bytes)} is needed")
    with nameless(folder) as descriptor:
        block = os.urandom(_PIECE_BYTES)
        rows = [measured("write", "bytes/s", lambda: _written(descriptor, block, size_bytes), effort)]
        if not hasattr(os, "posix_fadvise"):
            return [*rows, absent("read", "bytes/s", _UNCACHED), absent("read-4k", "operations/s", _UNCACHED)]
        rows.append(measured("read", "bytes/s", lambda: _read(descriptor, size_bytes), effort))
        _forget(descriptor)
        small = [_small_reads(descriptor, size_bytes, number) for number in range(effort.samples)]
        return [*rows, row("read-4k", "operations/s", small)]


@contextmanager
def nameless(folder: Path) -> Iterator[int]:
    """Open a file that no folder lists, so that nothing of it can be left behind."""
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=".bench-")
    try:
        os.unlink(name)
        yield descriptor
    finally:
        os.close(descriptor)


def _written(descriptor: int, block: bytes, size_bytes: int) -> float:
    os.ftruncate(descriptor, 0)
    start = time.perf_counter()
    for offset in range(0, size_bytes, len(block)):
        os.pwrite(descriptor, block, offset)
    os.fsync(descriptor)
    return size_bytes / (time.perf_counter() - start)


def _read(descriptor: int, size_bytes: int) -> float:
    _forget(descriptor)
    piece = bytearray(_PIECE_BYTES)
    start = time.perf_counter()
    for offset in range(0, size_bytes, _PIECE_BYTES):
        os.preadv(descriptor, [piece], offset)
    return size_bytes / (time.perf_counter() - start)


def _small_reads(descriptor: int, size_bytes: int, number: int) -> float:
    _forget(descriptor)
    # Without read-ahead each read is one of the disk's own.
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_RANDOM)
    pages = size_bytes // _SMALL_BYTES
    offsets = [(at * _SCATTER + number) % pages * _SMALL_BYTES for at in range(_SMALL_READS)]
    start = time.perf_counter()
    for offset in offsets:
        os.pread(descriptor, _SMALL_BYTES, offset)
    seconds = time.perf_counter() - start
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_NORMAL)
    return _SMALL_READS / seconds


def _forget(descriptor: int) -> None:
    os.fsync(descriptor)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
