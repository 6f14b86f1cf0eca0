"""The content of a UnixFS file, read leaf after leaf from its blocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from . import unixfs
from .blocks import ReadBlock, load
from .cid import CID, DAG_PB, RAW, codec_name
from .errors import Malformed, NoSuchPath

MAX_DEPTH = 128  # Two links a node reach 2**128 leaves at this depth.


class Place(NamedTuple):
    """A block of a file that was not read yet: where its content begins, how long it is, how far from the root."""

    cid: CID
    start: int
    size_bytes: int
    depth: int

    def overlaps(self, span: range) -> bool:
        """Say whether any of its content is in the span."""
        return self.size_bytes > 0 and self.start < span.stop and self.start + self.size_bytes > span.start


@dataclass(frozen=True, slots=True)
class Part:
    """A block of a file: the content in it, which begins at `start`, and the blocks whose content follows."""

    start: int
    data: bytes
    below: tuple[Place, ...] = ()

    @property
    def size_bytes(self) -> int:
        """Count the content in this block and below it."""
        return len(self.data) + sum(place.size_bytes for place in self.below)


def size_bytes(cid: CID, read_block: ReadBlock) -> int:
    """Return a file's size, which its root states; raises NoSuchPath when the CID is no file."""
    return open_file(cid, read_block).size_bytes


def read(cid: CID, read_block: ReadBlock, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
    """Yield the content of a file from an offset on, a piece a block, reading only the blocks that hold it.

    Goes on to the end without `length`, and stops there when it is too large. Raises NoSuchPath when the CID is no
    file, MissingBlock, and Malformed for a block whose size is not the one that the block above it states.
    """
    root = open_file(cid, read_block)
    stop = root.size_bytes if length is None else min(offset + length, root.size_bytes)
    span = range(min(offset, stop), stop)
    pending: list[Part | Place] = [root]
    while pending:
        item = pending.pop()
        if isinstance(item, Place):
            if not item.overlaps(span):
                continue
            item = open_part(item, read_block)
        piece = item.data[max(span.start - item.start, 0) : max(span.stop - item.start, 0)]
        if piece:
            yield piece
        pending.extend(reversed(item.below))


def open_file(cid: CID, read_block: ReadBlock) -> Part:
    """Read the root block of a file; raises NoSuchPath when the CID is none, Malformed and MissingBlock."""
    return _open(cid, 0, 0, read_block)


def open_part(place: Place, read_block: ReadBlock) -> Part:
    """Read a block below the root; raises Malformed when it is not what the block above states, and MissingBlock."""
    if place.depth > MAX_DEPTH:
        raise Malformed(f"a file deeper than {MAX_DEPTH} levels")
    try:
        part = _open(place.cid, place.start, place.depth, read_block)
    except NoSuchPath as error:
        raise Malformed(f"a part of a file is no part: {error}") from error
    if part.size_bytes != place.size_bytes:
        raise Malformed(f"{place.cid} holds {part.size_bytes} bytes, and the block above states {place.size_bytes}")
    return part


def _open(cid: CID, start: int, depth: int, read_block: ReadBlock) -> Part:
    if cid.codec == RAW:
        return Part(start, load(cid, read_block))
    if cid.codec != DAG_PB:
        raise NoSuchPath(f"{cid} is {codec_name(cid.codec)} and no file")
    entry = unixfs.read(load(cid, read_block))
    if entry.kind not in ("file", "raw"):
        raise NoSuchPath(f"{cid} is a {entry.kind} and no file")
    position, below = start + len(entry.unixfs.data), []
    for link, size in zip(entry.links, entry.unixfs.block_sizes, strict=True):
        below.append(Place(link.cid, position, size, depth + 1))
        position += size
    return Part(start, entry.unixfs.data, tuple(below))
