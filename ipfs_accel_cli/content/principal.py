"""Who signs and who is addressed: DIDs as text and as UCAN writes them, and Ed25519 keys as the JavaScript client does.

Source: https://github.com/ucan-wg/ucan-ipld (principals), and the multicodec table for the keys.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass, field

from . import didkey, multibase, varint
from .errors import Malformed

KEY_BYTES = 32
SIGNATURE_BYTES = 64
EDDSA = 0xD0ED  # How a signature says which kind it is.

_DID_CORE = varint.encode(0x0D1D)
_PRIVATE, _PUBLIC = varint.encode(0x1300), varint.encode(0xED)


@dataclass(frozen=True, slots=True)
class Signer:
    """Somebody who can sign: `did` is the public half of the key, and `sign` needs the other."""

    did: str
    sign: Callable[[bytes], bytes] = field(repr=False)


def to_bytes(did: str) -> bytes:
    """Return the bytes of a DID: a key with its multicodec, any other method as text; raises Malformed."""
    if did.startswith(f"{didkey.PREFIX}z"):
        return multibase.decode(did.removeprefix(didkey.PREFIX))
    scheme, _, rest = did.partition(":")
    if scheme != "did" or ":" not in rest:
        raise Malformed(f"{did[:80]!r} is no DID such as did:key:z… or did:web:…")
    return _DID_CORE + rest.encode("utf-8")


def from_bytes(data: bytes) -> str:
    """Return the DID that bytes mean; raises Malformed."""
    if not data.startswith(_DID_CORE):
        varint.decode(data)
        return didkey.PREFIX + multibase.encode(data, "base58btc")
    try:
        return "did:" + str(data.removeprefix(_DID_CORE), "utf-8")
    except UnicodeDecodeError as error:
        raise Malformed("a DID is not UTF-8") from error


def signer(secret: bytes) -> Signer:
    """Return the signer of a raw 32-byte Ed25519 private key."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.from_private_bytes(secret)
    did = didkey.encode(key.public_key().public_bytes_raw())
    return Signer(did, lambda data: signature_bytes(EDDSA, key.sign(data)))


def decode_key(data: bytes) -> Signer:
    """Return the signer of a key as the JavaScript client packs it: both halves, each behind its multicodec.

    Raises Malformed, whose message holds nothing of the key.
    """
    secret = data[len(_PRIVATE) : len(_PRIVATE) + KEY_BYTES]
    rest = data[len(_PRIVATE) + KEY_BYTES :]
    if not data.startswith(_PRIVATE) or not rest.startswith(_PUBLIC) or len(rest) != len(_PUBLIC) + KEY_BYTES:
        raise Malformed("this is no Ed25519 key as `storacha key create` prints it: Mg…")
    made = signer(secret)
    if to_bytes(made.did) != rest:
        raise Malformed("the two halves of the key do not belong together")
    return made


def parse_key(text: str) -> Signer:
    """Read a key from the text that begins with `Mg`, multibase base64pad; raises Malformed without repeating it."""
    try:
        data = base64.b64decode(text[1:], validate=True) if text[:1] == "M" else b""
    except (binascii.Error, ValueError):
        data = b""
    return decode_key(data)


def format_key(secret: bytes) -> str:
    """Write a raw private key as `parse_key` reads it."""
    packed = _PRIVATE + secret + to_bytes(signer(secret).did)
    return "M" + base64.b64encode(packed).decode("ascii")


def signature_bytes(code: int, raw: bytes) -> bytes:
    """Write a signature with its kind and its length before it."""
    return varint.encode(code) + varint.encode(len(raw)) + raw


def signature_holds(did: str, data: bytes, signature: bytes) -> bool | None:
    """Say whether a DID signed some bytes; None where the DID or the kind of signature is none that tells.

    Only an Ed25519 did:key holds its own key. Raises Malformed for a signature that is cut short.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    code, position = varint.decode(signature)
    length, position = varint.decode(signature, position)
    if len(signature) < position + length:
        raise Malformed("a signature ends too early")
    principal = to_bytes(did)
    if code != EDDSA or not principal.startswith(_PUBLIC):
        return None if not principal.startswith(_PUBLIC) else False
    try:
        key = Ed25519PublicKey.from_public_bytes(principal.removeprefix(_PUBLIC))
        key.verify(signature[position : position + length], data)
    except (InvalidSignature, ValueError):
        return False
    return True
