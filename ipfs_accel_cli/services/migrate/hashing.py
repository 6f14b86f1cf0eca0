"""What a file is, from one reading: its sha-256, and the CID and inner blocks that its bytes have as a DAG."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ipfs_accel_cli.content.builder import TreeBuilder, leaf_cid
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.profiles import profile

PROFILE = profile()
KEPT_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class Known:
    """The bytes of one file as they were read; `data` holds all of them where they are few."""

    size_bytes: int
    sha256: bytes
    cid: CID
    inner: tuple[tuple[CID, bytes], ...]
    data: bytes | None


def known(pieces: Iterable[bytes | memoryview]) -> Known:
    """Read a file once; inner blocks come with parents before children."""
    whole, inner = hashlib.sha256(), list[tuple[CID, bytes]]()
    tree = TreeBuilder(PROFILE, lambda cid, block: inner.append((cid, block)))
    size_bytes, kept = 0, bytearray()
    for chunk in chunks(pieces):
        whole.update(chunk)
        size_bytes += len(chunk)
        if size_bytes <= KEPT_BYTES:
            kept += chunk
        elif kept:
            kept = bytearray()
        # A file of one raw leaf has one hash for both.
        tree.leaf(whole.digest() if size_bytes == len(chunk) else hashlib.sha256(chunk).digest(), len(chunk))
    built = tree.finish()
    data = bytes(kept) if size_bytes <= KEPT_BYTES else None
    return Known(size_bytes, whole.digest(), built.cid, tuple(reversed(inner)), data)


def chunks(pieces: Iterable[bytes | memoryview]) -> Iterator[bytes]:
    """Cut a stream into leaves."""
    size, held = PROFILE.chunk_bytes, bytearray()
    for piece in pieces:
        if not held and len(piece) == size:  # As most sources give them; nothing of it is copied.
            yield bytes(piece)
            continue
        held += piece
        while len(held) >= size:
            yield bytes(held[:size])
            del held[:size]
    if held:
        yield bytes(held)


def blocks(found: Known, pieces: Iterable[bytes | memoryview]) -> Iterator[tuple[CID, bytes]]:
    """Yield the blocks of a file that is read again: the inner ones first, each once, then the leaves."""
    yield from found.inner
    seen = set[bytes]()
    for chunk in chunks(pieces):
        digest = hashlib.sha256(chunk).digest()
        if digest not in seen:
            seen.add(digest)
            yield leaf_cid(digest, PROFILE), chunk
    if not found.size_bytes:
        yield found.cid, b""
