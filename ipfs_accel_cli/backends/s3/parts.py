"""How a file is cut into the parts of a multipart upload, and which digests S3 gives to them."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ipfs_accel_cli.core.parts import LONGEST_HELD_BYTES, MEMORY_BYTES, MIB, Limits

SINGLE_BYTES = 8 * MIB  # Up to this a file goes with one request.
MAX_PARTS = 10_000
MAX_PART_BYTES = 5 << 30
MAX_BYTES = MAX_PARTS * MAX_PART_BYTES
LIMITS = Limits(SINGLE_BYTES, 5 * MIB, MAX_PART_BYTES, MAX_PARTS)  # S3 takes no smaller ones, but for the last.


@dataclass(frozen=True, slots=True)
class Span:
    """A part: its number from 1, where it begins, and how long it is."""

    number: int
    offset: int
    length: int


def spans(size_bytes: int, each_bytes: int) -> list[Span]:
    """Cut a file into its parts."""
    starts = range(0, size_bytes, each_bytes)
    return [Span(number, start, min(each_bytes, size_bytes - start)) for number, start in enumerate(starts, 1)]


def held_parts(each_bytes: int, parallel: int) -> int:
    """Return how many parts may have been read and not yet be sent, so that those in memory are not too many."""
    return max(2, MEMORY_BYTES // each_bytes) if each_bytes <= LONGEST_HELD_BYTES else 2 * parallel


def base64_of(digest: bytes) -> str:
    """Write a digest as S3 does."""
    return base64.b64encode(digest).decode()


def digest_of(text: str | None) -> bytes | None:
    """Read a sha-256 as S3 writes it; None for anything else, and for the digest of digests of parts."""
    try:
        digest = base64.b64decode(text or "", validate=True)
    except binascii.Error:
        return None
    return digest if len(digest) == 32 else None


def composite(digests: Sequence[bytes]) -> str:
    """Return the checksum that S3 states of an object in parts: of their digests, and how many they are."""
    return f"{base64_of(sha256(digests))}-{len(digests)}"


def sha256(pieces: Iterable[bytes | memoryview]) -> bytes:
    """Return the digest of pieces one after the other."""
    hashed = hashlib.sha256()
    for piece in pieces:
        hashed.update(piece)
    return hashed.digest()
