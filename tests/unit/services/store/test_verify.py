"""Damage is found, named to the block, and healed by putting the original again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.content import dagpb
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.profiles import PROFILES
from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import Cancelled, VerificationFailed
from ipfs_accel_cli.services.store import Root, Store
from tests.unit.services.store.content import MIB, flip, objects, pattern

Make = Callable[[str, bytes], Path]


@pytest.mark.parametrize("profile", PROFILES)
def test_sound_content_verifies(store: Store, tree: Path, profile: str) -> None:
    (stored,) = store.put([tree], profile)
    of_root = store.verify([stored.cid])
    everything = store.verify()
    assert of_root == everything
    assert everything.objects == 3
    assert everything.size_bytes >= 2 * MIB


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("everything", [True, False])
def test_a_flipped_bit_is_named_to_the_block(
    store: Store, home: Path, make: Make, profile: str, everything: bool
) -> None:
    (stored,) = store.put([make("file", pattern(3 * MIB))], profile)
    chunk = PROFILES[profile].chunk_bytes
    flip(objects(home)[0], 2 * MIB + 9)
    with pytest.raises(VerificationFailed) as caught:
        store.verify(None if everything else [stored.cid])
    (error,) = caught.value.errors
    leaf = dagpb.decode(store.block(CID.parse(stored.cid))).links[2 * MIB // chunk].cid
    assert error["object"] == objects(home)[0].name
    assert (error["offset"], error["length"], error["cid"]) == (str(2 * MIB), str(chunk), str(leaf))


def test_putting_the_original_again_heals(store: Store, home: Path, make: Make) -> None:
    path = make("file", pattern(MIB + 1))
    (stored,) = store.put([path])
    flip(objects(home)[0], 3)
    with pytest.raises(VerificationFailed):
        store.verify()
    assert [finding.kind for finding in store.check()] == ["damaged"]
    list(store.put([path]))
    assert store.verify([stored.cid]).objects == 1
    assert store.check() == []


def test_an_object_that_was_mended_by_hand_is_believed_after_the_next_look(
    store: Store, home: Path, make: Make
) -> None:
    list(store.put([make("file", pattern(MIB + 1))]))
    flip(objects(home)[0], 3)
    with pytest.raises(VerificationFailed):
        store.verify()
    flip(objects(home)[0], 3)
    store.verify()
    assert store.check() == []


def test_a_damaged_inner_node_is_found_and_healed(store: Store, node: Node, make: Make) -> None:
    path = make("file", pattern(2 * MIB))
    (stored,) = store.put([path])
    with node.database.write() as connection:
        connection.execute("UPDATE blocks SET data = zeroblob(size_bytes)")
    with pytest.raises(VerificationFailed) as caught:
        store.verify([stored.cid])
    assert CID.parse(caught.value.errors[0]["cid"]).multihash == CID.parse(stored.cid).multihash
    list(store.put([path]))
    store.verify([stored.cid])


@pytest.mark.parametrize("change", ["UPDATE leaves SET length = length - 1", "DELETE FROM leaves WHERE position = 1"])
def test_tables_that_contradict_the_dag_are_found(store: Store, node: Node, make: Make, change: str) -> None:
    (stored,) = store.put([make("file", pattern(2 * MIB))])
    with node.database.write() as connection:
        connection.execute(change)
    with pytest.raises(VerificationFailed):
        store.verify([stored.cid])


def test_a_lost_object_is_named(store: Store, home: Path, make: Make) -> None:
    (stored,) = store.put([make("file", pattern(MIB))])
    objects(home)[0].unlink()
    for references in (None, [stored.cid]):
        with pytest.raises(VerificationFailed, match="missing"):
            store.verify(references)


def test_a_missing_block_below_a_root_is_damage(store: Store) -> None:
    absent = dagpb.Link(CID.of(b"absent"), "absent", 6)
    with store.session() as session:
        folder = session.directory({"here": session.file([b"here"])})
        block = dagpb.encode(dagpb.Node((absent,), b"\x08\x01"))
        partial = CID.of(block, folder.cid.codec)
        session.block(partial, block)
        session.commit([Root(partial, "store", "partial", "directory")])
    with pytest.raises(VerificationFailed) as caught:
        store.verify([partial])
    assert caught.value.errors[0]["cid"] == str(absent.cid)
    assert [finding.kind for finding in store.check()] == ["missing"]


def test_a_lost_large_block_is_found(store: Store, home: Path) -> None:
    data = pattern(100_000)
    with store.session() as session:
        session.block(CID.of(data), data)
        session.commit([Root(CID.of(data), "store", "block", "block")])
    next((home / "blocks").glob("*/*")).unlink()
    for references in (None, [CID.of(data)]):
        with pytest.raises(VerificationFailed):
            store.verify(references)
    assert "damaged" in {finding.kind for finding in store.check()}


def test_a_path_inside_a_root_can_be_verified_alone(store: Store, tree: Path) -> None:
    (stored,) = store.put([tree])
    assert store.verify([f"{stored.cid}/naïve ☃.txt"]).size_bytes == 11


def test_verification_stops_when_the_caller_has_gone(store: Store, make: Make) -> None:
    list(store.put([make("file", pattern(2 * MIB))]))
    call = Call()
    call.stopped.set()
    with using(call), pytest.raises(Cancelled):
        store.verify()
