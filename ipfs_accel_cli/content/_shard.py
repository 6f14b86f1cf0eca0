"""One block of a HAMT-sharded directory: its slots, and the bits of a name's hash that choose between them."""

from __future__ import annotations

from dataclasses import dataclass

from . import dagpb
from .errors import Malformed, Unsupported
from .unixfs import Entry, Metadata, Unixfs, check_name

HASH_BITS = 64
MAX_FANOUT = 1024  # Larger tables were used to exhaust the memory of readers (CVE-2023-23625).

_MURMUR3_X64_64 = 0x22


@dataclass(frozen=True, slots=True)
class Slot:
    """An occupied place in the table: an entry's name and link, or, with an empty name, the shard of the next level."""

    index: int
    name: str
    link: dagpb.Link


@dataclass(frozen=True, slots=True)
class Shard:
    """A shard's table, sorted by slot."""

    fanout: int
    slots: tuple[Slot, ...]

    def slot(self, index: int) -> Slot | None:
        """Find what occupies a place in the table."""
        return next((slot for slot in self.slots if slot.index == index), None)


def decode(entry: Entry) -> Shard:
    """Read the table of a HAMT shard (https://specs.ipfs.tech/unixfs/#dag-pb-hamtdirectory).

    Raises Malformed, and Unsupported for a hash function that is not murmur3-x64-64.
    """
    fanout = entry.unixfs.fanout
    if entry.unixfs.hash_type != _MURMUR3_X64_64:
        raise Unsupported(f"a sharded directory by hash function {entry.unixfs.hash_type}, not murmur3-x64-64")
    if fanout is None or not is_fanout(fanout):
        raise Malformed(f"a HAMT shard of {fanout} slots: not a power of two from 8 to {MAX_FANOUT}")
    slots = sorted((_slot(link, fanout) for link in entry.links), key=lambda slot: slot.index)
    occupied = sum(1 << slot.index for slot in slots)
    if occupied.bit_count() != len(slots) or occupied != int.from_bytes(entry.unixfs.data, "big"):
        raise Malformed("the links of a HAMT shard are not those that its bit field states")
    return Shard(fanout, tuple(slots))


def encode(shard: Shard, metadata: Metadata | None = None) -> tuple[tuple[dagpb.Link, ...], Unixfs]:
    """Return the links and the message of a shard's block; the root's may carry metadata."""
    links = tuple(
        dagpb.Link(slot.link.cid, prefix(slot.index, shard.fanout) + slot.name, slot.link.size_bytes)
        for slot in shard.slots
    )
    occupied = sum(1 << slot.index for slot in shard.slots)
    # A big-endian number without leading zeros, which is what Kubo and the importer write.
    field = occupied.to_bytes((occupied.bit_length() + 7) // 8, "big")
    return links, Unixfs("hamt-shard", field, hash_type=_MURMUR3_X64_64, fanout=shard.fanout).stamped(metadata)


def is_fanout(fanout: int) -> bool:
    """Say whether a table may have so many slots: a power of two, whole bytes of bit field, at most 1,024."""
    return 8 <= fanout <= MAX_FANOUT and fanout.bit_count() == 1


def prefix(index: int, fanout: int) -> str:
    """Write a slot's number as it stands before the name: upper-case hexadecimal of fixed width."""
    return f"{index:0{_prefix_width(fanout)}X}"


def slot_index(name_hash: int, level: int, fanout: int) -> int:
    """Return the slot of a name at a level below the root: the next bits of its hash, the highest first.

    Raises Unsupported when the hash has no bits left for that level.
    """
    bits = fanout.bit_length() - 1
    shift = HASH_BITS - bits * (level + 1)
    if shift < 0:
        raise Unsupported(f"a sharded directory deeper than the {HASH_BITS} bits of its names' hashes")
    return name_hash >> shift & fanout - 1


def _prefix_width(fanout: int) -> int:
    return len(f"{fanout - 1:X}")


def _slot(link: dagpb.Link, fanout: int) -> Slot:
    width = _prefix_width(fanout)
    start, name = link.name[:width], link.name[width:]
    try:
        index = int(start, 16)
    except ValueError:
        index = -1
    if not 0 <= index < fanout or prefix(index, fanout) != start:
        raise Malformed(f"the HAMT link name {link.name[:40]!r} does not begin with a slot below {fanout}")
    if name:
        check_name(name)
    return Slot(index, name, dagpb.Link(link.cid, name, link.size_bytes))
