"""Filecoin pieces: the commitment to some bytes that deals are made over, as a CID (piece CID version 2).

Source: https://github.com/filecoin-project/FIPs, FRC-0069, and the Fr32 padding of the Filecoin specification.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from . import varint
from .cid import CID, RAW
from .errors import Malformed
from .multihash import Multihash

FR32_TREE = 0x1011
MIN_BYTES = 65

_IN, _OUT = 127, 128  # Bytes before and after padding: two zero bits follow each 254.
_NODE_BYTES = 32
_BITS = 254
_GROUP_LEAVES = 1 << 12  # The leaves that are reduced at once: a perfect tree of 12 levels.
_GROUP_BYTES = _GROUP_LEAVES * _NODE_BYTES // _OUT * _IN
_LAST = [bytes([byte & 0x3F]) for byte in range(256)]


def piece(data: Iterable[bytes]) -> CID:
    """Compute the piece of some bytes, at about ten to twenty megabytes a second; raises Malformed for less than 65.

    Memory does not grow with the data.
    """
    size_bytes, stack = 0, list[tuple[int, bytes]]()
    for group in _groups(data):
        size_bytes += len(group)
        _push(stack, *_reduced(_padded(group)))
    if size_bytes < MIN_BYTES:
        raise Malformed(f"a Filecoin piece has at least {MIN_BYTES} bytes, not {size_bytes}")
    height = max(2, (-(-size_bytes // _IN) - 1).bit_length() + 2)
    root = _completed(stack, height)
    padding = (_IN << (height - 2)) - size_bytes
    return CID(1, RAW, Multihash(FR32_TREE, varint.encode(padding) + bytes([height]) + root))


def _groups(data: Iterable[bytes]) -> Iterator[bytes]:
    waiting = bytearray()
    for part in data:
        waiting += part
        while len(waiting) >= _GROUP_BYTES:
            yield bytes(waiting[:_GROUP_BYTES])
            del waiting[:_GROUP_BYTES]
    if waiting:
        yield bytes(waiting)


def _padded(group: bytes) -> list[bytes]:
    """Spread each 127 bytes over four leaves; what is missing at the end is zero."""
    mask, leaves = (1 << _BITS) - 1, list[bytes]()
    for start in range(0, len(group), _IN):
        number = int.from_bytes(group[start : start + _IN], "little")
        for _ in range(4):
            leaves.append((number & mask).to_bytes(_NODE_BYTES, "little"))
            number >>= _BITS
    return leaves


def _reduced(nodes: list[bytes]) -> tuple[int, bytes]:
    """Hash leaves pairwise up to one node; return its height with it."""
    height, sha256 = 0, hashlib.sha256
    while len(nodes) > 1:
        if len(nodes) % 2:
            nodes.append(_zeros(height))
        height += 1
        digests = [sha256(left + right).digest() for left, right in zip(nodes[::2], nodes[1::2], strict=True)]
        nodes = [digest[:31] + _LAST[digest[31]] for digest in digests]
    return height, nodes[0]


def _push(stack: list[tuple[int, bytes]], height: int, node: bytes) -> None:
    """Put a subtree behind those before it, and join what is of one height."""
    stack.append((height, node))
    while len(stack) > 1 and stack[-2][0] == stack[-1][0]:
        (level, left), (_, right) = stack[-2:]
        stack[-2:] = [(level + 1, _joined(left, right))]


def _completed(stack: list[tuple[int, bytes]], height: int) -> bytes:
    """Join what is left with zeros, up to a tree of this height."""
    while stack[-1][0] < height or len(stack) > 1:
        level, _ = stack[-1]
        _push(stack, level, _zeros(level))
    return stack[0][1]


def _zeros(height: int) -> bytes:
    node = bytes(_NODE_BYTES)
    for _ in range(height):
        node = _joined(node, node)
    return node


def _joined(left: bytes, right: bytes) -> bytes:
    digest = hashlib.sha256(left + right).digest()
    return digest[:31] + _LAST[digest[31]]
