"""Hashing a file while it is written: its leaves on one thread, the whole of it on another, the writer ahead."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import mmap
import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from ipfs_accel_cli.content.builder import leaf_digest
from ipfs_accel_cli.content.profiles import Profile

WINDOW_BYTES = 8 << 20  # A whole number of pages and of every profile's chunks.
_WINDOWS_AHEAD = 3  # What may be mapped at a time: memory stays under 32 MiB.

_FICLONE = 0x40049409  # linux/fs.h: share the extents of another file, copy on write.
_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG)

LeafSink = Callable[[bytes, int], None]


@dataclass(frozen=True, slots=True)
class _Pending:
    leaves: Future[list[bytes]]
    whole: Future[None]
    length: int


class Ingest:
    """Follow a file that grows, hashing behind its writer.

    The file must be the writer's own: it is read through a memory map, which is free of copies but dies with a file
    that somebody else cuts short. `on_leaf(digest, content bytes)` is called in order, in the writer's thread; `stop`
    raises to give up.
    """

    def __init__(self, descriptor: int, profile: Profile, on_leaf: LeafSink, stop: Callable[[], None]) -> None:
        self._descriptor = descriptor
        self._profile = profile
        self._on_leaf = on_leaf
        self._stop = stop
        self._whole = hashlib.sha256()
        self._pools: list[ThreadPoolExecutor] = []
        self._pending: deque[_Pending] = deque()
        self._written = self._hashed = 0

    def __enter__(self) -> Ingest:
        return self

    def __exit__(self, *_: object) -> None:
        for pool in self._pools:
            pool.shutdown(cancel_futures=True)
        self._pending.clear()

    def grew(self, count: int) -> None:
        """Say that `count` further bytes are in the file; waits when the hashing is far behind."""
        self._stop()
        self._written += count
        while self._written - self._hashed >= WINDOW_BYTES:
            self._submit(WINDOW_BYTES)
            if len(self._pending) >= _WINDOWS_AHEAD:
                self._collect()

    def finish(self) -> tuple[bytes, int]:
        """Hash the rest; return the sha-256 of the file and its size in bytes."""
        rest = self._written - self._hashed
        if self._pools:
            if rest:
                self._submit(rest)
            while self._pending:
                self._stop()
                self._collect()
            return self._whole.digest(), self._written
        return self._finish_small(rest), self._written

    def _finish_small(self, rest: int) -> bytes:
        view = _window(self._descriptor, 0, rest)
        leaves = _hash_leaves(view, self._profile)
        self._hand_over(leaves, rest)
        if self._profile.raw_leaves and len(leaves) == 1:
            return leaves[0]
        return hashlib.sha256(view).digest()

    def _submit(self, length: int) -> None:
        if not self._pools:
            self._pools = [ThreadPoolExecutor(max_workers=1), ThreadPoolExecutor(max_workers=1)]
        view = _window(self._descriptor, self._hashed, length)
        leaves = self._pools[0].submit(_hash_leaves, view, self._profile)
        whole = self._pools[1].submit(self._whole.update, view)
        self._pending.append(_Pending(leaves, whole, length))
        self._hashed += length

    def _collect(self) -> None:
        oldest = self._pending.popleft()
        oldest.whole.result()
        self._hand_over(oldest.leaves.result(), oldest.length)

    def _hand_over(self, leaves: list[bytes], length: int) -> None:
        for index, digest in enumerate(leaves):
            self._on_leaf(digest, min(self._profile.chunk_bytes, length - index * self._profile.chunk_bytes))


def clone(source: int, target: int) -> bool:
    """Let a file share the extents of another; False, with nothing done, where the file system cannot."""
    try:
        fcntl.ioctl(target, _FICLONE, source)
    except OSError:
        return False
    return True


def copy_range(source: int, target: int, offset: int, count: int) -> int:
    """Copy bytes between files at the same offset, inside the kernel where it can; return how many, 0 at the end."""
    if hasattr(os, "copy_file_range"):
        try:
            copied = os.copy_file_range(source, target, count, offset, offset)
        except OSError as error:
            if error.errno in _DISK_ERRORS:
                raise
            copied = 0
        if copied:
            return copied
    data = os.pread(source, min(count, 1 << 20), offset)
    write_all(target, data, offset)
    return len(data)


def write_all(target: int, data: bytes | memoryview, offset: int) -> None:
    """Write all of the bytes at an offset."""
    view = memoryview(data).cast("B")
    while len(view):
        written = os.pwrite(target, view, offset)
        view, offset = view[written:], offset + written


def _window(descriptor: int, offset: int, length: int) -> memoryview:
    if not length:
        return memoryview(b"")
    # The map is released with the last view of it.
    return memoryview(mmap.mmap(descriptor, length, access=mmap.ACCESS_READ, offset=offset))


def _hash_leaves(view: memoryview, profile: Profile) -> list[bytes]:
    step = profile.chunk_bytes
    return [leaf_digest(view[start : start + step], profile) for start in range(0, len(view) or 1, step)]
