"""What the peer commands return."""

from __future__ import annotations

from pydantic import Field

from ipfs_accel_cli.core.results import Result


class Identity(Result):
    """Who this node is."""

    columns = ("peer_id", "cid", "public_key", "created")
    essence = "peer_id"

    peer_id: str = Field(description="libp2p peer id: base58btc of the identity multihash of the public key.")
    cid: str = Field(description="The same as a CID with codec libp2p-key, in base36, as IPNS writes it.")
    public_key: str = Field(description="Ed25519 key as multibase base58btc of multicodec ed25519-pub, as in did:key.")
    created: bool = Field(description="Whether this call made the key.")
