"""Encrypted files in segments, each of which is proven by itself: any part can be read, and none can be left out.

Layout: "IPA1", a salt of 32 bytes, then segments: AES-256-GCM over up to 65,536 bytes, followed by its tag of 16. The
key of a file is HKDF-SHA256 of a random one; a nonce is the number of its segment and whether it is the last, so that
none comes twice under one key (the STREAM construction). The header is the associated data of every segment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Literal

from .errors import Forged, Malformed, OverLimit
from .varint import Buffer

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAGIC = b"IPA1"
SALT_BYTES = 32
KEY_BYTES = 32
HEADER_BYTES = len(MAGIC) + SALT_BYTES
SEGMENT_BYTES = 1 << 16
TAG_BYTES = 16

_STEP_BYTES = SEGMENT_BYTES + TAG_BYTES
_MOST_SEGMENTS = 1 << 32

Kind = Literal["file", "index"]
ReadAt = Callable[[int, int], bytes]


def seal(key: bytes, kind: Kind, salt: bytes, pieces: Iterable[Buffer]) -> Iterator[bytes]:
    """Yield the encrypted form of some bytes, in memory for a few segments; neither key nor salt is used twice.

    `kind` goes into the key, so that one sort of content cannot pass for another. Raises OverLimit beyond 256 TiB.
    """
    header = MAGIC + salt
    cipher = _cipher(key, kind, header)
    yield header
    number, rest = 0, b""
    for piece in pieces:
        view = memoryview(rest + bytes(piece))
        start = 0
        # What may be the last segment waits for what follows.
        while len(view) - start > SEGMENT_BYTES:
            yield cipher.encrypt(_nonce(number, last=False), view[start : start + SEGMENT_BYTES], header)
            start += SEGMENT_BYTES
            number += 1
        rest = bytes(view[start:])
    yield cipher.encrypt(_nonce(number, last=True), rest, header)


def unseal(
    key: bytes, kind: Kind, size_bytes: int, read: ReadAt, offset: int = 0, length: int | None = None
) -> Iterator[bytes]:
    """Yield bytes of the content from an offset on, of which only the segments that hold them are read.

    `size_bytes` is that of the whole content, as somebody stated it; `read` gives encrypted bytes at an offset. Raises
    Forged where anything was changed, cut off, swapped, or encrypted under another key; Malformed for no such file.
    """
    header = read(0, HEADER_BYTES)
    if len(header) != HEADER_BYTES or not header.startswith(MAGIC):
        raise Malformed("this is no encrypted file of ours: its first bytes are others")
    cipher = _cipher(key, kind, header)
    end = size_bytes if length is None else min(size_bytes, offset + length)
    count = _segments(size_bytes)
    # The last segment of nothing says that there is nothing.
    first, behind = offset // SEGMENT_BYTES, max(1, -(-end // SEGMENT_BYTES))
    for number in range(min(first, count - 1), min(behind, count)):
        last = number == count - 1
        wanted = size_bytes - number * SEGMENT_BYTES if last else SEGMENT_BYTES
        content = _opened(cipher, number, last, read(HEADER_BYTES + number * _STEP_BYTES, wanted + TAG_BYTES), header)
        if len(content) != wanted:
            raise Forged(f"segment {number} has {len(content)} bytes instead of {wanted}")
        start = number * SEGMENT_BYTES
        part = content[max(0, offset - start) : max(0, end - start)]
        if part:
            yield part


def sealed_bytes(size_bytes: int) -> int:
    """Return how many bytes the encrypted form of so many has."""
    return HEADER_BYTES + size_bytes + TAG_BYTES * _segments(size_bytes)


def content_bytes(sealed_size: int) -> int:
    """Return how many bytes an encrypted form of this size holds; raises Malformed for a size that none has."""
    count = max(1, -(-(sealed_size - HEADER_BYTES) // _STEP_BYTES))
    size_bytes = sealed_size - HEADER_BYTES - TAG_BYTES * count
    if size_bytes < 0 or sealed_bytes(size_bytes) != sealed_size:
        raise Malformed(f"no encrypted file has {sealed_size} bytes")
    return size_bytes


def _segments(size_bytes: int) -> int:
    return max(1, -(-size_bytes // SEGMENT_BYTES))


def _cipher(key: bytes, kind: Kind, header: bytes) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    if len(key) != KEY_BYTES or len(header) != HEADER_BYTES:
        raise Malformed(f"a key and a salt have {KEY_BYTES} bytes each")
    return AESGCM(HKDF(SHA256(), KEY_BYTES, header[len(MAGIC) :], f"ipfs-accel {kind} 1".encode()).derive(key))


def _nonce(number: int, *, last: bool) -> bytes:
    if number >= _MOST_SEGMENTS:
        raise OverLimit(f"an encrypted file has {_MOST_SEGMENTS} segments at most")
    return bytes(7) + number.to_bytes(4, "big") + bytes([last])


def _opened(cipher: AESGCM, number: int, last: bool, data: bytes, header: bytes) -> bytes:
    from cryptography.exceptions import InvalidTag

    try:
        return cipher.decrypt(_nonce(number, last=last), data, header)
    except (InvalidTag, ValueError) as error:  # ValueError where not even a tag is left.
        raise Forged(f"segment {number} of the encrypted file was changed, or is of another one") from error
