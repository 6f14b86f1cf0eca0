"""A range of one file at a backend, alone: no more travels than its leaves, and the nodes that prove them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from ipfs_accel_cli.backends.base import Backend, Dags, Files
from ipfs_accel_cli.content import files, hamt
from ipfs_accel_cli.content.blocks import ReadBlock, is_inline
from ipfs_accel_cli.content.builder import leaf_block
from ipfs_accel_cli.content.cid import CID, RAW
from ipfs_accel_cli.content.errors import ContentError
from ipfs_accel_cli.content.profiles import profile
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Invalid, NotFound, TryAgain, VerificationFailed
from ipfs_accel_cli.core.results import Blob
from ipfs_accel_cli.services.store.backends import layout
from ipfs_accel_cli.services.store.backends.fetching import find_layout, layout_blocks
from ipfs_accel_cli.services.store.backends.layout import LaidFile
from ipfs_accel_cli.services.store.references import Reference

_MAX_LAYOUT_BYTES = 64 << 20  # One that is larger holds blocks of files, too.


class _Unknown(Exception):
    """A block that is not among those beside the files."""


def part(backend: Backend, root: CID, meant: Reference, offset: int, length: int | None) -> Blob | None:
    """Return a range of a file below a root, each byte proven; None where only all of it can be had.

    Raises NotFound, Invalid for an offset beyond the end, and, while it is read, VerificationFailed.
    """
    if isinstance(backend, Dags):
        return _of_dag(backend, meant, offset, length)
    if not isinstance(backend, Files):
        return None
    key, laid = find_layout(backend, backend.name, root)
    found = backend.stat(key)
    if found is None or found.size_bytes > _MAX_LAYOUT_BYTES:
        return None
    known = _Known()
    known.take(backend, key)
    nodes_key = layout.nodes_key(key)
    if (nodes := backend.stat(nodes_key)) is not None and nodes.size_bytes <= _MAX_LAYOUT_BYTES:
        known.take(backend, nodes_key)
    try:
        cid = _below(meant, known.block)
    except _Unknown:
        return None
    file = next((one for one in laid.files if one.cid.to_v1() == cid.to_v1()), None)
    return None if file is None else _of_file(backend, file, known, offset, length)


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A leaf of a file, and where its content begins."""

    cid: CID
    start: int
    size_bytes: int


class _Known:
    """The blocks beside the files, each checked as it was read."""

    def __init__(self) -> None:
        self._blocks: dict[CID, bytes] = {}

    def take(self, backend: Files, key: str) -> None:
        for block in layout_blocks(backend, key):
            self._blocks[block.cid.to_v1()] = block.data

    def block(self, cid: CID) -> bytes:
        data = self._blocks.get(cid.to_v1())
        if data is None:
            raise _Unknown
        return data

    def has(self, cid: CID) -> bool:
        return is_inline(cid) or cid.to_v1() in self._blocks


def _of_dag(backend: Dags, meant: Reference, offset: int, length: int | None) -> Blob:
    def block(cid: CID) -> bytes:
        for one in backend.get_dag(cid, scope="block"):
            if one.cid.to_v1() == cid.to_v1():
                return one.data
        raise NotFound(f"the place does not have {cid}")

    cid = _below(meant, block)
    try:
        size_bytes = files.size_bytes(cid, block)
    except ContentError as error:
        raise Invalid(f"{meant} is no file: {error}") from error
    span = _span(meant, size_bytes, offset, length)
    if not span:
        return Blob([], 0, str(cid), offset)
    came: dict[CID, bytes] = {}

    def pieces() -> Iterator[bytes]:
        coming = backend.get_dag(cid, scope="entity", span=(span.start, span.stop - 1))

        def read(wanted: CID) -> bytes:
            while wanted.to_v1() not in came:
                one = next(coming, None)
                if one is None:
                    return block(wanted)
                came[one.cid.to_v1()] = one.data
            # What is linked twice comes once; a leaf that is large and read again is asked for again.
            return came.pop(wanted.to_v1()) if wanted.codec == RAW else came[wanted.to_v1()]

        yield from files.read(cid, read, span.start, len(span))

    return Blob(pieces(), len(span), str(cid), offset)


def _of_file(backend: Files, file: LaidFile, known: _Known, offset: int, length: int | None) -> Blob | None:
    span = _span(file.cid, file.size_bytes, offset, length)
    if not known.has(file.cid):
        recipe = profile(file.profile)
        if file.size_bytes > recipe.chunk_bytes:
            return None  # Sent before nodes were: they can only be made of the whole file.
        leaves = [_Leaf(file.cid, 0, file.size_bytes)]
    else:
        try:
            leaves = list(_leaves(file.cid, known, span))
        except _Unknown:
            return None
    return Blob(_proven(backend, file, leaves, span), len(span), str(file.cid), offset)


def _leaves(cid: CID, known: _Known, span: range) -> Iterator[_Leaf]:
    waiting = list(reversed(files.open_file(cid, known.block).below))
    while waiting:
        place = waiting.pop()
        if not place.overlaps(span):
            continue
        if known.has(place.cid):
            waiting += reversed(files.open_part(place, known.block).below)
        else:
            yield _Leaf(place.cid, place.start, place.size_bytes)


def _proven(backend: Files, file: LaidFile, leaves: list[_Leaf], span: range) -> Iterator[bytes]:
    """Read the leaves with one call, as they follow one another, and yield what of each is in the span."""
    if not span:
        return
    if any(one.start + one.size_bytes != other.start for one, other in pairwise(leaves)):
        raise VerificationFailed(f"the nodes of {file.cid} leave a gap")
    first, last = leaves[0], leaves[-1]
    stream = backend.open(file.key, first.start, last.start + last.size_bytes - first.start)
    buffer = bytearray()
    for leaf in leaves:
        while len(buffer) < leaf.size_bytes:
            current().check()
            piece = next(stream, b"")
            if not piece:
                raise TryAgain(f"{file.key} ended {leaf.size_bytes - len(buffer)} bytes too early")
            buffer += piece
        content = bytes(buffer[: leaf.size_bytes])
        del buffer[: leaf.size_bytes]
        _check(leaf, file, content)
        yield content[max(span.start - leaf.start, 0) : max(span.stop - leaf.start, 0)]


def _check(leaf: _Leaf, file: LaidFile, content: bytes) -> None:
    block = content if leaf.cid.codec == RAW else leaf_block(content, profile(file.profile))
    try:
        leaf.cid.verify(block)
    except ContentError as error:
        raise VerificationFailed(
            f"{file.key} is damaged from byte {leaf.start} to {leaf.start + leaf.size_bytes}: {error}",
            suggestion="ipfs-accel store scrub --on NAME --repair",
        ) from error


def _below(meant: Reference, read: ReadBlock) -> CID:
    """Follow the names of a reference, by verified blocks."""
    cid = meant.cid
    for name in meant.path:
        link = hamt.child(cid, name, read)
        if link is None:
            raise NotFound(f"{meant} is not there: {cid} has no entry {name!r}")
        cid = link.cid
    return cid


def _span(what: object, size_bytes: int, offset: int, length: int | None) -> range:
    if offset > size_bytes:
        raise Invalid(f"offset {offset} is beyond the end: {what} has {size_bytes} bytes")
    return range(offset, size_bytes if length is None else min(offset + length, size_bytes))
