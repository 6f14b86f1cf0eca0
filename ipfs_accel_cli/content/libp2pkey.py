"""Keys as libp2p and IPNS write them: public and private ones in protobuf, and the names that are made of them.

Sources: https://github.com/libp2p/specs/blob/master/peer-ids/peer-ids.md, https://specs.ipfs.tech/ipns/ipns-record/.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import _protobuf, multibase, multihash
from .cid import CID, LIBP2P_KEY
from .errors import ContentError, Forged, Malformed, Unsupported
from .multihash import IDENTITY, SHA2_256, Multihash
from .varint import Buffer

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

RSA, ED25519, SECP256K1, ECDSA = range(4)
KIND_NAMES = ("rsa", "ed25519", "secp256k1", "ecdsa")
MAX_INLINE_BYTES = 42  # A longer public key is named by its sha-256.
MIN_RSA_BITS, MAX_RSA_BITS = 2048, 8192

_ED25519_BYTES = 32


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key: its kind, and its bytes as that kind writes them."""

    kind: int
    data: bytes

    def encode(self) -> bytes:
        """Write the key in protobuf."""
        return _protobuf.number_field(1, self.kind) + _protobuf.bytes_field(2, self.data)

    @classmethod
    def decode(cls, data: Buffer) -> PublicKey:
        """Read a key in protobuf, which must be written as `encode` does; raises Malformed and Unsupported."""
        return cls(*_kind_and_data(data))

    @property
    def kind_name(self) -> str:
        return KIND_NAMES[self.kind]

    def verify(self, signature: bytes, data: bytes) -> None:
        """Check that this key signed `data`; raises Forged, Malformed for what is no key, and Unsupported."""
        from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

        try:
            _verify(self, signature, data)
        except InvalidSignature as error:
            raise Forged("the signature is not one of the key over these bytes") from error
        except UnsupportedAlgorithm as error:
            raise Unsupported(f"this {self.kind_name} key cannot be checked here: {error}") from error


def ed25519(raw: bytes) -> PublicKey:
    """Return the key of 32 raw bytes; raises Malformed for another count."""
    if len(raw) != _ED25519_BYTES:
        raise Malformed(f"an Ed25519 public key has {_ED25519_BYTES} bytes, not {len(raw)}")
    return PublicKey(ED25519, raw)


def name_of(key: PublicKey) -> CID:
    """Return the name of a key: a CID with codec libp2p-key, which holds a short key itself and a long one's hash."""
    data = key.encode()
    named = Multihash(IDENTITY, data) if len(data) <= MAX_INLINE_BYTES else multihash.sha256(data)
    return CID(1, LIBP2P_KEY, named)


def key_in(name: CID) -> PublicKey | None:
    """Return the key that a name holds, None for a name that holds only its hash; raises Malformed."""
    return PublicKey.decode(name.multihash.digest) if name.multihash.code == IDENTITY else None


def parse_name(text: str) -> CID:
    """Read a name: a CID with codec libp2p-key in any base, or a peer id in bare base58 (12D3KooW…, Qm…).

    Raises Malformed, also for an inlined key that is none.
    """
    # Text that begins with `1` or `Qm` is a bare multihash, all other text is a CID.
    if text.startswith(("1", "Qm")):
        data = multibase.decode_base58(text)
        named, end = multihash.decode(data)
        if end != len(data):
            raise Malformed("bytes follow the multihash of the name")
    else:
        cid = CID.parse(text)
        if cid.codec != LIBP2P_KEY:
            raise Malformed("the codec of the CID is not libp2p-key")
        named = cid.multihash
    return checked_name(CID(1, LIBP2P_KEY, named))


def checked_name(name: CID) -> CID:
    """Return the name; raises Malformed where it is none."""
    if name.codec != LIBP2P_KEY:
        raise Malformed("the codec of the CID is not libp2p-key")
    if name.multihash.code == SHA2_256:
        return name
    if name.multihash.code != IDENTITY or len(name.multihash.digest) > MAX_INLINE_BYTES:
        raise Malformed("a name holds a short public key, or the sha2-256 of a long one")
    key_in(name)
    return name


def is_name(text: str) -> bool:
    """Say whether text is a name as `parse_name` reads it."""
    try:
        parse_name(text)
    except ContentError:
        return False
    return True


def name_text(name: CID) -> str:
    """Write a name in base36 (k51…), as IPNS does."""
    return name.encode("base36")


def peer_text(name: CID) -> str:
    """Write a name as a peer id in bare base58 (12D3KooW…)."""
    return multibase.encode_base58(name.multihash.encode())


def encode_private(key: Ed25519PrivateKey) -> bytes:
    """Write an Ed25519 private key in protobuf: the seed and the public key behind it."""
    public = key.public_key().public_bytes_raw()
    return _protobuf.number_field(1, ED25519) + _protobuf.bytes_field(2, key.private_bytes_raw() + public)


def decode_private(data: Buffer) -> Ed25519PrivateKey:
    """Read an Ed25519 private key in protobuf, also with the public key twice, as it was written once.

    Raises Malformed, and Unsupported for a key of another kind.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    kind, body = _kind_and_data(data)
    if kind != ED25519:
        raise Unsupported(f"a private key of the kind {KIND_NAMES[kind]}; only ed25519 ones are kept here")
    if len(body) not in (64, 96):
        raise Malformed(f"an Ed25519 private key has 64 bytes, not {len(body)}")
    key = Ed25519PrivateKey.from_private_bytes(body[:32])
    public = key.public_key().public_bytes_raw()
    if body[32:] not in (public, public + public):
        raise Malformed("the public half of the private key is not its own")
    return key


def _kind_and_data(data: Buffer) -> tuple[int, bytes]:
    found = list(_protobuf.fields(data))
    if [(field, wire) for field, wire, _, _ in found] != [(1, _protobuf.VARINT), (2, _protobuf.BYTES)]:
        raise Malformed("a key is a kind and its bytes")
    kind = found[0][2]
    if kind >= len(KIND_NAMES):
        raise Unsupported(f"keys of the kind {kind} are not known")
    body = bytes(found[1][3])
    if kind == ED25519 and len(body) not in (_ED25519_BYTES, 64, 96):
        raise Malformed(f"an Ed25519 key has {_ED25519_BYTES} bytes, not {len(body)}")
    return kind, body


def _verify(key: PublicKey, signature: bytes, data: bytes) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.hashes import SHA256

    if key.kind == ED25519:
        Ed25519PublicKey.from_public_bytes(ed25519(key.data).data).verify(signature, data)
        return
    loaded = _point(key.data) if key.kind == SECP256K1 else _der(key.data)
    if key.kind == RSA and isinstance(loaded, rsa.RSAPublicKey):
        if not MIN_RSA_BITS <= loaded.key_size <= MAX_RSA_BITS:
            raise Unsupported(f"an RSA key of {loaded.key_size} bits; those of {MIN_RSA_BITS} to {MAX_RSA_BITS} count")
        loaded.verify(signature, data, padding.PKCS1v15(), SHA256())
    elif key.kind in (SECP256K1, ECDSA) and isinstance(loaded, ec.EllipticCurvePublicKey):
        loaded.verify(signature, data, ec.ECDSA(SHA256()))
    else:
        raise Malformed(f"the bytes of the key are not of the kind {key.kind_name}")


def _point(data: bytes) -> Any:
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256K1(), data)
    except ValueError as error:
        raise Malformed(f"a secp256k1 key that is no point of its curve: {error}") from error


def _der(data: bytes) -> Any:
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        return load_der_public_key(data)
    except ValueError as error:
        raise Malformed(f"a public key that is not DER: {error}") from error
