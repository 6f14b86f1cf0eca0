"""Which blocks prove an answer: the selections of the trustless gateway (IPIP-402)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from . import dag, files, hamt
from .blocks import ReadBlock, load
from .car import Block
from .cid import CID, DAG_CBOR, DAG_JSON
from .errors import Malformed
from .resolve import Resolved, resolve
from .walk import block_key

Scope = Literal["block", "entity", "all"]

_RANGE = re.compile(r"(-?\d{1,19}):(\*|-?\d{1,19})", re.ASCII)


@dataclass(frozen=True, slots=True)
class ByteRange:
    """The bytes of a file from `first` to `last`, both included.

    A negative number counts from the end (-1 is the last byte); without `last` the range goes on to the end.
    """

    first: int = 0
    last: int | None = None

    @classmethod
    def parse(cls, text: str) -> ByteRange:
        """Read the value of `entity-bytes`, as in `0:1023`, `512:*` or `-1024:*`; raises Malformed."""
        match = _RANGE.fullmatch(text)
        if match is None:
            raise Malformed(f"{text[:60]!r} is no byte range like 0:1023, 512:* or -1024:*")
        return cls(int(match[1]), None if match[2] == "*" else int(match[2]))

    def of(self, size_bytes: int) -> range:
        """Return the offsets of the range that a file of this size has; an empty range when it has none."""
        first = self.first if self.first >= 0 else max(size_bytes + self.first, 0)
        last = size_bytes - 1 if self.last is None else self.last
        last = min(last if last >= 0 else size_bytes + last, size_bytes - 1)
        return range(first, last + 1) if first <= last else range(0)


def select(
    root: CID,
    path: str,
    scope: Scope,
    byte_range: ByteRange | None,
    read_block: ReadBlock,
    *,
    duplicates: bool = False,
) -> Iterator[Block]:
    """Yield the blocks that prove what a path leads to, those on the way first, depth first in link order.

    Then, by scope: `block`, the last block alone; `entity`, a whole file, or what lists a whole directory, or the one
    block of a document; `all`, everything below. A byte range makes the scope `entity` and leaves out the blocks of
    a file that it does not need; a range outside the file gives its root alone. `duplicates` yields a block as often
    as the walk meets it. Identity CIDs need no block and get none. Nothing is yielded before the path is resolved.
    Raises NoSuchPath, MissingBlock, Malformed, and Unsupported for a codec whose links cannot be read.
    """
    recorder = _Recorder(read_block, duplicates)
    end = resolve(root, path, recorder)
    recorder.read_again(end.cid)
    yield from recorder.taken()
    for _ in _reads(end, scope, byte_range, recorder, duplicates):
        yield from recorder.taken()
    yield from recorder.taken()


class _Recorder:
    """Reads blocks and keeps those that were read and not handed out yet."""

    def __init__(self, read_block: ReadBlock, duplicates: bool) -> None:
        self._read_block = read_block
        self._seen: set[bytes] | None = None if duplicates else set()
        self._taken: list[Block] = []
        self._again: Block | None = None

    def __call__(self, cid: CID) -> bytes:
        if self._again is not None and self._again.cid == cid:
            block, self._again = self._again, None
            return block.data
        block = Block(cid, self._read_block(cid))
        key = block_key(cid)
        if self._seen is None or key not in self._seen:
            self._taken.append(block)
        if self._seen is not None:
            self._seen.add(key)
        return block.data

    def read_again(self, cid: CID) -> None:
        """Let the block that was read last, if it is this one, be read once more without counting."""
        self._again = self._taken[-1] if self._taken and self._taken[-1].cid == cid else None

    def taken(self) -> list[Block]:
        """Hand out what was read since the last call."""
        taken, self._taken = self._taken, []
        return taken


def _reads(
    end: Resolved, scope: Scope, byte_range: ByteRange | None, read: _Recorder, duplicates: bool
) -> Iterator[None]:
    """Read what the scope asks for, pausing after each block or few."""
    if byte_range is None and scope == "all":
        yield from _everything(end, read, duplicates)
    elif (byte_range is None and scope == "block") or end.kind not in ("file", "directory"):
        load(end.cid, read)
        yield
    elif end.kind == "file":
        yield from _file(end.cid, byte_range, read, duplicates)
    else:
        for _ in hamt.entries(end.cid, read):
            yield


def _everything(end: Resolved, read: _Recorder, duplicates: bool) -> Iterator[None]:
    in_document = end.cid.codec in (DAG_CBOR, DAG_JSON)
    stack = list(reversed(dag.value_links(end.value))) if in_document else [end.cid]
    seen: set[bytes] = set()
    while stack:
        cid = stack.pop()
        key = block_key(cid)
        if duplicates or key not in seen:
            seen.add(key)
            stack.extend(reversed(dag.links(cid, load(cid, read))))
            yield


def _file(cid: CID, byte_range: ByteRange | None, read: _Recorder, duplicates: bool) -> Iterator[None]:
    root = files.open_file(cid, read)
    yield
    span = (byte_range or ByteRange()).of(root.size_bytes)
    seen: set[tuple[CID, int]] = set()
    stack = list(reversed(root.below))
    while stack:
        place = stack.pop()
        if not place.overlaps(span):
            continue
        # A part that is wanted whole brings the same blocks wherever it stands again.
        if not duplicates and span.start <= place.start and place.start + place.size_bytes <= span.stop:
            if (place.cid, place.size_bytes) in seen:
                continue
            seen.add((place.cid, place.size_bytes))
        stack.extend(reversed(files.open_part(place, read).below))
        yield
