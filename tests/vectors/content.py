"""The contents that the vectors in this folder are computed over."""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20

_BLOCK = bytes((2654435761 * index >> 16) & 0xFF for index in range(65537))


def pattern(size_bytes: int) -> bytes:
    """Return the content of unixfs_reference.mjs: a block of prime length, so that no two leaves are equal."""
    return (_BLOCK * -(-size_bytes // len(_BLOCK)))[:size_bytes]


def keystream(seed: str, size_bytes: int) -> bytes:
    """Return the content of Kubo's own vectors: ChaCha20 under the seed's sha-256, from a zero nonce."""
    cipher = Cipher(ChaCha20(hashlib.sha256(seed.encode()).digest(), bytes(16)), mode=None)
    return cipher.encryptor().update(bytes(size_bytes))
