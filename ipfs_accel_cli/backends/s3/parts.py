"""How a file is cut into the parts of a multipart upload, and which digests S3 gives to them."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MIB = 1 << 20
SINGLE_BYTES = 8 * MIB  # Up to this a file goes with one request.
SMALL_PART_BYTES, SMALL_BYTES = 5 * MIB, 256 * MIB  # The least that S3 takes: so that smaller files are in flight soon.
PART_BYTES = 8 * MIB
MAX_PARTS = 10_000
MAX_PART_BYTES = 5 << 30
MAX_BYTES = MAX_PARTS * MAX_PART_BYTES
# What is longer does not lie in memory: it is read a second time when it is sent.
MAX_HELD_BYTES = 24 * MIB
HELD_BYTES = 48 * MIB
AT_ONCE = 6  # Of which some are being hashed.


@dataclass(frozen=True, slots=True)
class Span:
    """A part: its number from 1, where it begins, and how long it is."""

    number: int
    offset: int
    length: int


def part_bytes(size_bytes: int) -> int:
    """Return how long the parts of a file are: 5 MiB, then 8, and more where there would be more than 10,000."""
    if size_bytes <= SMALL_BYTES:
        return SMALL_PART_BYTES
    return max(PART_BYTES, -(-size_bytes // (MAX_PARTS * MIB)) * MIB)


def spans(size_bytes: int, each_bytes: int) -> list[Span]:
    """Cut a file into its parts."""
    starts = range(0, size_bytes, each_bytes)
    return [Span(number, start, min(each_bytes, size_bytes - start)) for number, start in enumerate(starts, 1)]


def held_parts(each_bytes: int) -> int:
    """Return how many parts may be on their way at once, so that those in memory are not too many."""
    return max(2, HELD_BYTES // each_bytes) if each_bytes <= MAX_HELD_BYTES else 2 * AT_ONCE


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
