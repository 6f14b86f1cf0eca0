"""The seeds of what is signed or encrypted: records and keys of IPNS, envelopes and the indexes of folders."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ipfs_accel_cli.content import _protobuf, dagcbor, envelope, ipns, libp2pkey
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.envelope import Envelope, Sealed, Secret

VECTORS = Path(__file__).parents[1] / "vectors" / "ipns"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def records() -> dict[str, bytes]:
    """Records that are well made, and some that are not quite."""
    public = libp2pkey.ed25519(KEY.public_key().public_bytes_raw())
    good = ipns.create(KEY.sign, "/ipfs/bafkqaaa", sequence=1, eol_ns=10**18, ttl_ns=10**9)
    (rsa,) = VECTORS.glob("Qm*")
    return {
        "record": good,
        "without copies": ipns.create(KEY.sign, "", sequence=0, eol_ns=0, ttl_ns=0, legacy=False),
        "with a key": ipns.create(KEY.sign, "/", sequence=1, eol_ns=1, ttl_ns=1, public_key=public),
        "rsa": rsa.read_bytes(),
        "a field twice": good + _protobuf.bytes_field(9, b"x"),
        "a field of tomorrow": good + _protobuf.bytes_field(99, b"x"),
        "public key": public.encode(),
        "private key": libp2pkey.encode_private(KEY),
    }


def envelopes() -> dict[str, bytes]:
    """Envelopes, secrets and indexes that are well made, and some that are not quite."""
    content = CID.of(b"content")
    good = Envelope("folder", content, 5, b"keys").encode()
    entries = [Sealed("a", "folder"), Sealed("a/b", "file", 5, content, bytes(32)), Sealed("c", "link", target="a/b")]
    return {
        "envelope": good,
        "segments of another size": dagcbor.encode(dagcbor.decode(good) | {"segment": 4096}),
        "index": envelope.encode_index(entries),
        "index upwards": envelope.encode_index([Sealed("../a", "folder")]),
        "index without its folder": envelope.encode_index(entries[1:]),
        "secret": Secret(bytes(32), ("age1",)).encode(),
        "short secret": Secret(bytes(31), ()).encode(),
    }
