"""What the tests of encrypted content do with it."""

from __future__ import annotations

from pathlib import Path

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.envelope import Envelope
from ipfs_accel_cli.services.store import Store


def put(store: Store, path: Path, *recipients: str) -> str:
    (stored,) = store.sealed.put([path], recipients or ["me"])
    assert stored.kind == "encrypted"
    return stored.cid


def read(store: Store, reference: str, offset: int = 0, length: int | None = None, identity: str = "me") -> bytes:
    blob = store.sealed.open(reference, identity, offset, length)
    data = b"".join(map(bytes, blob))
    assert len(data) == blob.size_bytes
    return data


def envelope_of(store: Store, cid: str) -> Envelope:
    return Envelope.decode(store.block(CID.parse(cid)))
