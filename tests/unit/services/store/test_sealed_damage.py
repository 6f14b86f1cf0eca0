"""Encrypted content that was damaged or made up is noticed."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from ipfs_accel_cli.content import dagcbor, envelope, sealed
from ipfs_accel_cli.content.cid import CID, DAG_CBOR
from ipfs_accel_cli.content.envelope import Envelope, Sealed, Secret
from ipfs_accel_cli.content.sealed import HEADER_BYTES, SEGMENT_BYTES, TAG_BYTES
from ipfs_accel_cli.core.errors import (
    UnsafeContent,
    VerificationFailed,
)
from ipfs_accel_cli.services.store import Store
from tests.unit.services.store.sealing import envelope_of, put, read

age = pytest.importorskip("pyrage")

Make = Callable[[str, bytes], Path]
STEP = SEGMENT_BYTES + TAG_BYTES
PUT = """
import sys
from ipfs_accel_cli import Node
store = Node(sys.argv[1]).store
print("ready", flush=True)
(put,) = store.sealed.put([sys.argv[2]], ["me"])
print(put.cid, flush=True)
"""


def test_a_part_is_read_although_another_is_damaged(store: Store, me: str, make: Make) -> None:
    data = random.Random(1).randbytes(10 * SEGMENT_BYTES)
    cid = put(store, make("file", data))
    damage(store, envelope_of(store, cid).content, HEADER_BYTES + 5 * STEP + 100)
    assert read(store, cid, 2 * SEGMENT_BYTES, 100) == data[2 * SEGMENT_BYTES :][:100]
    with pytest.raises(VerificationFailed, match="segment 5"):
        read(store, cid, 5 * SEGMENT_BYTES, 1)
    with pytest.raises(VerificationFailed):
        store.sealed.get(cid, "me", "copy")
    assert not Path("copy").exists()


def damage(store: Store, content: CID, offset: int) -> None:
    path = store.object_path(content)
    path.chmod(0o644)
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 1]))


def kept(store: Store, made: Envelope | dict[str, object]) -> str:
    data = made.encode() if isinstance(made, Envelope) else dagcbor.encode(made)
    cid = CID.of(data, DAG_CBOR)
    with store.session() as session:
        session.block(cid, data)
        session.commit([(cid, "store", "made", "block")])
    return str(cid)


def test_every_part_of_an_envelope_that_is_changed_is_noticed(store: Store, me: str, make: Make) -> None:
    good = envelope_of(store, put(store, make("file", bytes(SEGMENT_BYTES + 9))))
    other = envelope_of(store, put(store, make("other", bytes(SEGMENT_BYTES + 9))))
    fields = dagcbor.decode(good.encode())
    changed: list[dict[str, object]] = [
        {"content": other.content},
        {"keys": other.keys},
        {"size": good.size_bytes - 1},
        {"size": SEGMENT_BYTES},
        {"kind": "folder"},
        {"keys": good.keys[:-1] + bytes([good.keys[-1] ^ 1])},
        {"keys": good.keys[:60] + b"AAAA" + good.keys[64:]},
        {"keys": good.keys[:20]},
        {"segment": 4096},
        {"schema": "ipfs-accel/sealed/v2"},
    ]
    for change in changed:
        cid = kept(store, fields | change)
        with pytest.raises(Exception) as caught:
            read(store, cid)
        assert caught.value.__class__.__module__ == "ipfs_accel_cli.core.errors", change
        assert getattr(caught.value, "exit_code", 1) in (2, 3, 4, 6, 7), (change, caught.value)


@pytest.mark.parametrize(
    ("entry", "error"),
    [
        (Sealed("../out", "file", 0, CID.of(b""), bytes(32)), UnsafeContent),
        (Sealed("link", "link", target="../../etc"), UnsafeContent),
        (Sealed("link", "link", target="/etc"), UnsafeContent),
        (Sealed("more", "file", 5, CID.of(b""), bytes(32)), VerificationFailed),
    ],
)
def test_a_folder_that_somebody_made_up_writes_nothing(
    store: Store, me: str, tmp_path: Path, entry: Sealed, error: type[Exception]
) -> None:
    key = os.urandom(32)
    with store.session() as session:
        index = session.file(sealed.seal(key, "index", os.urandom(32), [envelope.encode_index([entry])]))
        built = session.directory({"index": index})
        made = Envelope("folder", built.cid, 0, age.encrypt(Secret(key, (me,)).encode(), [_recipient(me)]))
        session.block(made.cid, made.encode())
        session.commit([(made.cid, "store", "made", "block")])
    with pytest.raises(error):
        store.sealed.get(str(made.cid), "me", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def _recipient(text: str) -> object:
    return age.x25519.Recipient.from_str(text)
