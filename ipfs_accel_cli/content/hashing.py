"""Hashing the leaves of a file as fast as the cores allow."""

from __future__ import annotations

import contextvars
import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from .builder import BlockSink, Built, TreeBuilder, leaf_digest, leaf_frame
from .errors import Changed
from .profiles import Profile
from .unixfs import Metadata
from .varint import Buffer

PathLike = str | os.PathLike[str]
LeafSink = Callable[[int, bytes], None]

PIECE_BYTES = 256 << 10  # Small enough that the bytes are still in the L2 cache when they are hashed.
_RUN_BYTES = 32 << 20  # What a thread takes at a time: long enough for read-ahead, short enough to share the end.


def hash_leaves(
    source: int | PathLike,
    size_bytes: int,
    profile: Profile,
    threads: int = 2,
    on_leaf: LeafSink | None = None,
    stop: Callable[[], None] | None = None,
) -> list[bytes]:
    """Return the sha2-256 of every leaf block of a file that is `size_bytes` long; an empty file has one leaf.

    `on_leaf(index, digest)` is called from the hashing threads, in no order. `stop` is called now and then in the
    calling thread and raises to give up. Raises Changed when the file does not have that size, or changes meanwhile.
    """
    opened = not isinstance(source, int)
    descriptor = source if isinstance(source, int) else os.open(source, os.O_RDONLY)
    try:
        before = _state(descriptor)
        if before[0] != size_bytes:
            raise Changed(f"the file has {before[0]} bytes where {size_bytes} were expected: it changed")
        if size_bytes == 0:
            digests = [leaf_digest(b"", profile)]
            if on_leaf is not None:
                on_leaf(0, digests[0])
        else:
            digests = _Hashing(descriptor, size_bytes, profile, on_leaf).run(threads, stop)
        if _state(descriptor) != before:
            raise Changed("the file changed while it was read")
        return digests
    finally:
        if opened:
            os.close(descriptor)


def file_cid(
    path: PathLike,
    profile: Profile,
    threads: int = 2,
    stop: Callable[[], None] | None = None,
    on_block: BlockSink | None = None,
    metadata: Metadata | None = None,
) -> Built:
    """Compute the root of a file without storing anything; raises Changed."""
    size_bytes = Path(path).stat().st_size
    if metadata and size_bytes <= profile.chunk_bytes:
        return hash_bytes(_whole(path, size_bytes), profile, on_block, metadata)
    return tree(hash_leaves(path, size_bytes, profile, threads, stop=stop), size_bytes, profile, on_block, metadata)


def hash_bytes(
    content: Buffer, profile: Profile, on_block: BlockSink | None = None, metadata: Metadata | None = None
) -> Built:
    """Compute the root of content that is in memory."""
    view = memoryview(content).cast("B")
    step = profile.chunk_bytes
    digests = [leaf_digest(view[start : start + step], profile) for start in range(0, len(view) or 1, step)]
    return tree(digests, len(view), profile, on_block, metadata, view if len(digests) == 1 else None)


def tree(
    digests: list[bytes],
    size_bytes: int,
    profile: Profile,
    on_block: BlockSink | None = None,
    metadata: Metadata | None = None,
    content: Buffer | None = None,
) -> Built:
    """Build the tree above the leaves that `hash_leaves` returned.

    The content is needed only for a file of one leaf with metadata (see `TreeBuilder.finish`).
    """
    builder = TreeBuilder(profile, on_block, metadata)
    for index, digest in enumerate(digests):
        builder.leaf(digest, min(profile.chunk_bytes, size_bytes - index * profile.chunk_bytes))
    return builder.finish(content)


class _Hashing:
    """One pass over a file by several threads, each with its own piece of memory."""

    def __init__(self, descriptor: int, size_bytes: int, profile: Profile, on_leaf: LeafSink | None) -> None:
        self._descriptor = descriptor
        self._size_bytes = size_bytes
        self._profile = profile
        self._on_leaf = on_leaf
        self._digests = [b""] * -(-size_bytes // profile.chunk_bytes)
        self._runs = self._split()
        self._lock = threading.Lock()
        self._errors: list[BaseException] = []

    def run(self, threads: int, stop: Callable[[], None] | None) -> list[bytes]:
        """Hash with `threads` threads, the calling one among them."""
        helpers = [
            threading.Thread(target=contextvars.copy_context().run, args=(self._work, None), daemon=True)
            for _ in range(min(threads, -(-self._size_bytes // _RUN_BYTES)) - 1)
        ]
        for helper in helpers:
            helper.start()
        self._work(stop)
        self._wait_for(helpers)
        if self._errors:
            raise self._errors[0]
        return self._digests

    def _wait_for(self, helpers: list[threading.Thread]) -> None:
        # The descriptor may be closed, and its number given to another file, only after the last thread has ended.
        for helper in helpers:
            while helper.is_alive():
                try:
                    helper.join()
                except BaseException as error:
                    self._errors.append(error)

    def _split(self) -> Iterator[range]:
        leaves_a_run = _RUN_BYTES // self._profile.chunk_bytes
        for first in range(0, len(self._digests), leaves_a_run):
            yield range(first, min(first + leaves_a_run, len(self._digests)))

    def _work(self, stop: Callable[[], None] | None) -> None:
        try:
            piece = memoryview(bytearray(min(PIECE_BYTES, self._profile.chunk_bytes)))
            while True:
                with self._lock:
                    run = next(self._runs, None)
                if run is None:
                    return
                for index in run:
                    if self._errors:
                        return
                    if stop is not None:
                        stop()
                    digest = self._digests[index] = self._leaf(index, piece)
                    if self._on_leaf is not None:
                        self._on_leaf(index, digest)
        except BaseException as error:
            self._errors.append(error)

    def _leaf(self, index: int, piece: memoryview) -> bytes:
        start = index * self._profile.chunk_bytes
        length = min(self._profile.chunk_bytes, self._size_bytes - start)
        head, tail = (b"", b"") if self._profile.raw_leaves else leaf_frame(length)
        digest = hashlib.sha256(head)
        for offset in range(start, start + length, len(piece)):
            part = piece[: min(len(piece), start + length - offset)]
            _read_exactly(self._descriptor, part, offset)
            digest.update(part)
        digest.update(tail)
        return digest.digest()


def _whole(path: PathLike, size_bytes: int) -> bytes:
    content = Path(path).read_bytes()
    if len(content) != size_bytes:
        raise Changed(f"the file has {len(content)} bytes where {size_bytes} were expected: it changed")
    return content


def _read_exactly(descriptor: int, view: memoryview, offset: int) -> None:
    done = 0
    while done < len(view):
        count = os.preadv(descriptor, [view[done:]], offset + done)
        if not count:
            raise Changed("the file became shorter while it was read")
        done += count


def _state(descriptor: int) -> tuple[int, int]:
    status = os.fstat(descriptor)
    return status.st_size, status.st_mtime_ns
