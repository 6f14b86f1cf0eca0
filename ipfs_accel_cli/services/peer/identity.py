"""Peer ids: the libp2p names of Ed25519 public keys, as pure functions over bytes.

Source: https://github.com/libp2p/specs/blob/master/peer-ids/peer-ids.md
"""

from __future__ import annotations

from ipfs_accel_cli.content import didkey, multibase, multihash
from ipfs_accel_cli.content.cid import CID, LIBP2P_KEY
from ipfs_accel_cli.content.errors import ContentError
from ipfs_accel_cli.content.multihash import IDENTITY, SHA2_256, Multihash
from ipfs_accel_cli.core.errors import Invalid, UnsupportedContent

KEY_BYTES = 32

_PROTOBUF_HEAD = b"\x08\x01\x12\x20"  # PublicKey {Type = Ed25519, Data = 32 bytes}.


def peer_id(public_key: bytes) -> str:
    """Return the peer id (12D3KooW…) of a raw 32-byte Ed25519 public key."""
    return multibase.encode_base58(_named(public_key).encode())


def peer_cid(public_key: bytes) -> str:
    """Return the peer id as a CID with codec libp2p-key in base36 (k51…)."""
    return CID(1, LIBP2P_KEY, _named(public_key)).encode("base36")


def key_text(public_key: bytes) -> str:
    """Return a raw public key in multibase base58btc with its multicodec (z6Mk…)."""
    return didkey.encode(_checked(public_key)).removeprefix(didkey.PREFIX)


def public_key_of(peer: str) -> bytes:
    """Return the raw 32-byte public key inside a peer id, given in base58 or as a CID.

    Raises Invalid for text that is no peer id, UnsupportedContent for one whose key is hashed or not Ed25519.
    """
    try:
        named = _parse(peer)
    except ContentError as error:
        raise Invalid(f"{peer!r} is not a peer id: {error}") from error
    if named.code == SHA2_256:
        raise UnsupportedContent(f"the peer id {peer} holds only a hash of its key, so nothing can be checked with it")
    key = named.digest.removeprefix(_PROTOBUF_HEAD)
    if named.code != IDENTITY or len(named.digest) != len(_PROTOBUF_HEAD) + KEY_BYTES or len(key) != KEY_BYTES:
        raise UnsupportedContent(f"the key in the peer id {peer} is not Ed25519")
    return key


def _named(public_key: bytes) -> Multihash:
    # Keys of up to 42 bytes are named by themselves: the identity multihash.
    return Multihash(IDENTITY, _PROTOBUF_HEAD + _checked(public_key))


def _checked(public_key: bytes) -> bytes:
    if len(public_key) != KEY_BYTES:
        raise Invalid(f"an Ed25519 public key has {KEY_BYTES} bytes, not {len(public_key)}")
    return public_key


def _parse(peer: str) -> Multihash:
    # The specification: text that begins with `1` or `Qm` is a bare multihash, all other text is a CID.
    if not peer.startswith(("1", "Qm")):
        cid = CID.parse(peer)
        if cid.codec != LIBP2P_KEY:
            raise ContentError("its codec is not libp2p-key")
        return cid.multihash
    data = multibase.decode_base58(peer)
    named, end = multihash.decode(data)
    if end != len(data):
        raise ContentError("bytes follow its multihash")
    return named
