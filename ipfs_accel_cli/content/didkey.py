"""Ed25519 public keys as text: `did:key:z6Mk…`, the key in multibase base58btc behind its multicodec.

Source: https://w3c-ccg.github.io/did-key-spec/
"""

from __future__ import annotations

from . import multibase
from .errors import Malformed, Unsupported

PREFIX = "did:key:"
KEY_BYTES = 32

_ED25519_PUB = b"\xed\x01"  # As a varint.
_MAX_CHARACTERS = 128


def encode(public_key: bytes) -> str:
    """Return the identifier of a raw 32-byte public key; raises Malformed."""
    if len(public_key) != KEY_BYTES:
        raise Malformed(f"an Ed25519 public key has {KEY_BYTES} bytes, not {len(public_key)}")
    return PREFIX + multibase.encode(_ED25519_PUB + public_key, "base58btc")


def decode(text: str) -> bytes:
    """Return the raw public key; raises Malformed for what is no did:key, Unsupported for one of another kind."""
    if not text.startswith(f"{PREFIX}z") or len(text) > _MAX_CHARACTERS:
        raise Malformed(f"{text[:80]!r} is not a did:key in base58btc")
    data = multibase.decode(text.removeprefix(PREFIX))
    if not data.startswith(_ED25519_PUB):
        raise Unsupported(f"the key {text} is not Ed25519")
    key = data.removeprefix(_ED25519_PUB)
    if len(key) != KEY_BYTES:
        raise Malformed(f"the key {text} has {len(key)} bytes, not {KEY_BYTES}")
    return key
