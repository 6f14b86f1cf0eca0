"""Directories of any size: plain while they fit one small block, sharded by the hash of their names beyond that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from . import _shard
from ._shard import Shard, Slot
from ._trie import names, open_below, open_directory
from .blocks import ReadBlock
from .builder import BlockSink, Built, directory, node_block, sorted_entries
from .cid import CID
from .dagpb import Link
from .errors import Malformed
from .murmur3 import hash64
from .profiles import Profile
from .unixfs import Metadata


def build_directory(
    entries: Iterable[tuple[str, Built]],
    profile: Profile,
    on_block: BlockSink | None = None,
    metadata: Metadata | None = None,
) -> Built:
    """Make a directory from (name, root) pairs in any order, plain or sharded as the profile says.

    `on_block` gets each block, the root last. Raises Malformed for a forbidden or repeated name, and Unsupported for
    names that agree in all 64 bits of their hash, which is no accident.
    """
    named = sorted_entries(entries)
    plain = _plain(named, profile, metadata)
    if plain is None:
        return _Writer(profile, on_block).write([(hash64(name), name, built) for name, built in named], 0, metadata)
    block, built = plain
    if on_block is not None:
        on_block(built.cid, block)
    return built


def entries(cid: CID, read_block: ReadBlock) -> Iterator[tuple[str, Link]]:
    """Iterate over the name and link of each entry of a directory, plain or sharded, in the order of its blocks.

    A shard is read when its turn comes. Raises NoSuchPath when the CID is no directory, MissingBlock, and Malformed,
    also for a name in a slot that is not its own: it could be listed but never found.
    """
    root = open_directory(cid, read_block)
    if root.kind == "directory":
        return ((link.name, link) for link in root.links)
    return names(_shard.decode(root), read_block)


def child(cid: CID, name: str, read_block: ReadBlock) -> Link | None:
    """Find an entry of a directory by its name, reading only the shards on its way; None when there is none.

    Raises NoSuchPath when the CID is no directory, Malformed and MissingBlock.
    """
    root = open_directory(cid, read_block)
    if root.kind == "directory":
        return root.child(name)
    try:
        name_hash = hash64(name.encode("utf-8"))
    except UnicodeEncodeError:
        return None
    shard, level = _shard.decode(root), 0
    while (slot := shard.slot(_shard.slot_index(name_hash, level, shard.fanout))) is not None and not slot.name:
        level += 1
        shard = open_below(slot, level, shard.fanout, read_block)
    return slot.link if slot is not None and slot.name == name else None


def _plain(named: list[tuple[bytes, Built]], profile: Profile, metadata: Metadata | None) -> tuple[bytes, Built] | None:
    """Make the plain directory, or return None when it is over the profile's limit (IPIP-499: strictly larger)."""
    if sum(len(name) + len(bytes(built.cid)) for name, built in named) > profile.shard_over_bytes:
        return None  # The block would be larger still, so both ways to measure agree.
    block, built = directory(((name.decode("utf-8"), child) for name, child in named), profile, metadata)
    if named and profile.directory_size == "block" and len(block) > profile.shard_over_bytes:
        return None  # An empty directory stays plain whatever its metadata takes.
    return block, built


class _Writer:
    """Writes shards from the leaves up, each as soon as it is complete."""

    def __init__(self, profile: Profile, on_block: BlockSink | None) -> None:
        if not _shard.is_fanout(profile.shard_fanout):
            raise Malformed(f"{profile.name}: {profile.shard_fanout} is no fan-out of a sharded directory")
        self._profile = profile
        self._on_block = on_block

    def write(self, hashed: list[tuple[int, bytes, Built]], level: int, metadata: Metadata | None = None) -> Built:
        """Write the shard of these entries, whose hashes agree in all levels above."""
        fanout = self._profile.shard_fanout
        groups: dict[int, list[tuple[int, bytes, Built]]] = {}
        for entry in hashed:
            groups.setdefault(_shard.slot_index(entry[0], level, fanout), []).append(entry)
        slots = tuple(self._slot(index, group, level) for index, group in sorted(groups.items()))
        links, message = _shard.encode(Shard(fanout, slots), metadata)
        size_bytes = sum(built.size_bytes for _, _, built in hashed)
        block, built = node_block(links, message, self._profile, size_bytes)
        if self._on_block is not None:
            self._on_block(built.cid, block)
        return built

    def _slot(self, index: int, group: list[tuple[int, bytes, Built]], level: int) -> Slot:
        if len(group) == 1:
            _, encoded, built = group[0]
            name = encoded.decode("utf-8")
        else:
            name, built = "", self.write(group, level + 1)
        return Slot(index, name, Link(built.cid, name, built.total_bytes))
