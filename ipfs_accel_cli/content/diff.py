"""What differs between two DAGs, reading only the parts that are not the same block."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Literal

from . import _shard, _trie, unixfs
from ._shard import Shard
from .blocks import ReadBlock, load
from .cid import CID, DAG_CBOR, DAG_JSON, DAG_PB
from .dagpb import Link
from .errors import Malformed
from .resolve import MAX_HOPS, document
from .unixfs import Entry

_Pair = tuple[str, Any, Any]
_ABSENT: Any = object()


@dataclass(frozen=True, slots=True)
class Change:
    """A path at which two DAGs differ.

    `before` and `after` are CIDs in a directory and CIDs or values in a document; the side that has nothing is None.
    """

    path: str
    kind: Literal["added", "removed", "changed"]
    before: Any
    after: Any


def diff(before: CID, after: CID, read_block: ReadBlock) -> Iterator[Change]:
    """Yield the differences between two DAGs, sorted by name within each directory and map, by position in a list.

    Compares directories by name, plain or sharded alike; dag-cbor and dag-json by key or position, through their
    links. Equal CIDs are not read. A directory or value that only one side has is one change; so is a file, whose
    blocks are not compared, and a directory whose mode or time differs. Raises MissingBlock and Malformed.
    """
    stack: list[_Pair] = [("", before, after)]
    while stack:
        path, old, new = stack.pop()
        if old is _ABSENT or new is _ABSENT or not _same(old, new):
            yield from _compare(path, old, new, read_block, stack)


def _compare(path: str, old: Any, new: Any, read_block: ReadBlock, stack: list[_Pair]) -> Iterator[Change]:
    """Yield what differs at the path itself, and leave what is below it on the stack."""
    if old is _ABSENT:
        yield Change(path, "added", None, new)
        return
    if new is _ABSENT:
        yield Change(path, "removed", old, None)
        return
    left, right = _open(old, read_block), _open(new, read_block)
    if isinstance(left, Entry) and isinstance(right, Entry):
        if left.unixfs.metadata != right.unixfs.metadata:
            yield Change(path, "changed", old, new)
        pairs = _by_name(*_names(left, right, read_block))
    elif isinstance(left, dict) and isinstance(right, dict):
        pairs = _by_name(left, right)
    elif isinstance(left, list) and isinstance(right, list):
        pairs = [(str(index), *items) for index, items in enumerate(zip_longest(left, right, fillvalue=_ABSENT))]
    else:
        yield Change(path, "changed", old, new)
        return
    stack.extend((f"{path}/{name}" if path else name, one, other) for name, one, other in reversed(pairs))


def _open(item: Any, read_block: ReadBlock) -> Any:
    """Return what can be compared part by part: a directory's first block, or a document's value; else the item."""
    for _ in range(MAX_HOPS):
        if not isinstance(item, CID):
            return item
        if item.codec == DAG_PB:
            return _directory(item, read_block)
        if item.codec not in (DAG_CBOR, DAG_JSON):
            return item
        item = document(item, load(item, read_block))
    raise Malformed(f"more than {MAX_HOPS} links in a row that lead to nothing but a link")


def _directory(cid: CID, read_block: ReadBlock) -> Entry | CID:
    data = load(cid, read_block)
    try:
        entry = unixfs.read(data)
    except Malformed:
        return cid
    return entry if entry.kind in ("directory", "hamt-shard") else cid


def _names(left: Entry, right: Entry, read_block: ReadBlock) -> tuple[dict[str, CID], dict[str, CID]]:
    shards = [_shard.decode(entry) if entry.kind == "hamt-shard" else None for entry in (left, right)]
    if shards[0] is not None and shards[1] is not None and shards[0].fanout == shards[1].fanout:
        links = _trie.differing(shards[0], shards[1], read_block)
    else:
        links = (_listed(left, shards[0], read_block), _listed(right, shards[1], read_block))
    before, after = ({name: link.cid for name, link in side.items()} for side in links)
    return before, after


def _listed(entry: Entry, shard: Shard | None, read_block: ReadBlock) -> dict[str, Link]:
    return {link.name: link for link in entry.links} if shard is None else dict(_trie.names(shard, read_block))


def _by_name(before: dict[str, Any], after: dict[str, Any]) -> list[_Pair]:
    together = sorted(before.keys() | after.keys(), key=lambda name: name.encode("utf-8"))
    return [(name, before.get(name, _ABSENT), after.get(name, _ABSENT)) for name in together]


def _same(old: Any, new: Any) -> bool:
    # Types first, because True == 1 == 1.0 here, and in a document they are three values.
    if type(old) is not type(new):
        return False
    if isinstance(old, (dict, list)):
        return False  # Their parts are compared one by one.
    return bool(old == new)
