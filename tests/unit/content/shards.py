"""Blocks of HAMT-sharded directories made by hand, also such as no one should make."""

from __future__ import annotations

from ipfs_accel_cli.content import dagpb, unixfs
from ipfs_accel_cli.content._shard import prefix
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.dagpb import Link, Node
from ipfs_accel_cli.content.murmur3 import hash64
from ipfs_accel_cli.content.unixfs import Unixfs

LEAF = CID.of(b"x")


def own_slot(name: str) -> str:
    return prefix(hash64(name.encode()) >> 56, 256)


def shard(*names: str, field: bytes | None = None, hash_type: int | None = 0x22, fanout: int | None = 256) -> bytes:
    occupied = sum(1 << int(name[:2], 16) for name in set(names)) if field is None else 0
    bits = occupied.to_bytes((occupied.bit_length() + 7) // 8, "big") if field is None else field
    message = Unixfs("hamt-shard", bits, hash_type=hash_type, fanout=fanout)
    return dagpb.encode(Node(tuple(Link(LEAF, name, 1) for name in names), unixfs.encode(message)))


def nested(cid: CID, *slots: str, fanout: int = 256) -> bytes:
    field = sum(1 << int(slot, 16) for slot in slots)
    message = Unixfs("hamt-shard", field.to_bytes(fanout // 8, "big"), hash_type=0x22, fanout=fanout)
    return dagpb.encode(Node(tuple(Link(cid, slot, 1) for slot in slots), unixfs.encode(message)))
