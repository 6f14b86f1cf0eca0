"""The peer service: this node's identity, and signatures made and checked with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ipfs_accel_cli.core.errors import VerificationFailed
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.services.peer import identity
from ipfs_accel_cli.services.peer.keys import existing_key, key_in_file, node_key
from ipfs_accel_cli.services.peer.results import Identity

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


@dataclass(frozen=True, slots=True, repr=False)
class Signer:
    """A private key that signs and shows only its public half."""

    _key: Ed25519PrivateKey

    @property
    def public_key(self) -> bytes:
        """Return the raw 32 bytes of the public key."""
        return _public_bytes(self._key)

    def sign(self, data: bytes) -> bytes:
        """Return the 64-byte Ed25519 signature (RFC 8032) of `data`."""
        return self._key.sign(data)


class Peers:
    """Who this node is to others."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def identity(self) -> Identity:
        """Return the node's identity, made on first use. Raises HomeUnusable."""
        key, created = node_key(self._home)
        public_key = _public_bytes(key)
        return Identity(
            peer_id=identity.peer_id(public_key),
            cid=identity.peer_cid(public_key),
            public_key=identity.key_text(public_key),
            created=created,
        )

    def signer(self, file: Path | None = None) -> Signer:
        """Return what signs with the node's key, made on first use, or with the key in a PEM file.

        Raises HomeUnusable, and for a file NotFound, Invalid, or NotAuthorised when other users may read it.
        """
        return Signer(key_in_file(file) if file is not None else node_key(self._home)[0])

    def public_key(self) -> bytes | None:
        """Return the raw public key of this node, None where it has none yet; raises HomeUnusable."""
        key = existing_key(self._home)
        return _public_bytes(key) if key is not None else None

    def sign(self, data: bytes) -> bytes:
        """Return the node's 64-byte Ed25519 signature (RFC 8032) of `data`. Raises HomeUnusable."""
        key, _ = node_key(self._home)
        return key.sign(data)

    def verify(self, peer_id: str, signature: bytes, data: bytes) -> None:
        """Check that a peer signed `data`.

        Raises VerificationFailed when it did not, Invalid for text that is no peer id, UnsupportedContent for a peer
        id that holds no Ed25519 key.
        """
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        key = Ed25519PublicKey.from_public_bytes(identity.public_key_of(peer_id))
        try:
            key.verify(signature, data)
        except InvalidSignature as error:
            raise VerificationFailed(f"the signature is not one of {peer_id} over these bytes") from error


def _public_bytes(key: Ed25519PrivateKey) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
