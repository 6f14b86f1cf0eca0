"""The peer service: this node's identity, and signatures made and checked with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipfs_accel_cli.core.errors import VerificationFailed
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.services.peer import identity
from ipfs_accel_cli.services.peer.keys import node_key
from ipfs_accel_cli.services.peer.results import Identity

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


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
