"""The shards of a HAMT-sharded directory taken together: listing them, and comparing two of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from . import _shard, unixfs
from ._shard import Shard, Slot
from .blocks import ReadBlock, load
from .cid import CID, DAG_PB, codec_name
from .dagpb import Link
from .errors import Malformed, NoSuchPath
from .murmur3 import hash64


@dataclass(frozen=True, slots=True)
class Path:
    """The way from the root to a shard or slot: the first bits of the hashes of all names below it."""

    level: int = 0
    bits: int = 0

    def below(self, index: int, fanout: int) -> Path:
        """Return the way one slot further."""
        return Path(self.level + 1, self.bits * fanout + index)

    def check(self, name: str, fanout: int) -> None:
        """Refuse a name that belongs elsewhere, for it could be listed but never found."""
        used_bits = self.level * (fanout.bit_length() - 1)
        if hash64(name.encode("utf-8")) >> _shard.HASH_BITS - used_bits != self.bits:
            raise Malformed(f"the name {name!r} is not in its own slot of the sharded directory")


def open_directory(cid: CID, read_block: ReadBlock) -> unixfs.Entry:
    """Read the first block of a directory; raises NoSuchPath when the CID is none, Malformed and MissingBlock."""
    if cid.codec != DAG_PB:
        raise NoSuchPath(f"{cid} is {codec_name(cid.codec)} and no directory")
    entry = unixfs.read(load(cid, read_block))
    if entry.kind not in ("directory", "hamt-shard"):
        raise NoSuchPath(f"{cid} is a {entry.kind} and no directory")
    return entry


def open_below(slot: Slot, level: int, fanout: int, read_block: ReadBlock) -> Shard:
    """Read the shard that a slot leads to, which is at this level; raises Malformed, Unsupported and MissingBlock."""
    _shard.slot_index(0, level, fanout)
    entry = open_directory(slot.link.cid, read_block)
    if entry.kind != "hamt-shard":
        raise Malformed(f"a sharded directory leads to the plain directory {slot.link.cid} where a shard should be")
    shard = _shard.decode(entry)
    if shard.fanout != fanout:
        raise Malformed(f"a directory has shards of {fanout} and of {shard.fanout} slots")
    if not shard.slots:
        # Eight levels of tables that are full of one and the same empty shard would be walked for ever.
        raise Malformed(f"a sharded directory has the empty shard {slot.link.cid} below its root")
    return shard


def names(shard: Shard, read_block: ReadBlock, path: Path = Path()) -> Iterator[tuple[str, Link]]:
    """Yield the entries of a shard and of those below it, in the order of the hashes."""
    fanout = shard.fanout
    stack = [(path.below(slot.index, fanout), slot) for slot in reversed(shard.slots)]
    while stack:
        place, slot = stack.pop()
        if slot.name:
            place.check(slot.name, fanout)
            yield slot.name, slot.link
            continue
        below = open_below(slot, place.level, fanout, read_block)
        stack.extend((place.below(inner.index, fanout), inner) for inner in reversed(below.slots))


def differing(before: Shard, after: Shard, read_block: ReadBlock) -> tuple[dict[str, Link], dict[str, Link]]:
    """Return the entries of two directories of one fan-out, without those in slots that are equal in both."""
    found: tuple[dict[str, Link], dict[str, Link]] = ({}, {})
    fanout = before.fanout
    stack = [(Path(), before, after)]
    compared: set[tuple[CID, CID]] = set()  # Only a directory made to be walked for ever has one pair twice.
    while stack:
        path, *shards = stack.pop()
        tables = [{slot.index: slot for slot in shard.slots} for shard in shards]
        for index in sorted(tables[0].keys() | tables[1].keys()):
            slots = [table.get(index) for table in tables]
            if slots[0] == slots[1]:
                continue
            place = path.below(index, fanout)
            if all(slot is not None and not slot.name for slot in slots):
                pair = [slot for slot in slots if slot is not None]
                cids = (pair[0].link.cid, pair[1].link.cid)
                if cids not in compared:
                    compared.add(cids)
                    old, new = (open_below(slot, place.level, fanout, read_block) for slot in pair)
                    stack.append((place, old, new))
                continue
            for side, slot in zip(found, slots, strict=True):
                if slot is not None:
                    side.update(names(Shard(fanout, (slot,)), read_block, path))
    return found
