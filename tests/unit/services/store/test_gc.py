"""gc removes what nothing keeps, and never what anybody keeps or is about to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.content import dagcbor
from ipfs_accel_cli.content.cid import CID, DAG_CBOR
from ipfs_accel_cli.core.errors import Conflict, Invalid, NotFound
from ipfs_accel_cli.services.store import Root, Store
from tests.unit.services.store.content import MIB, objects, pattern

Make = Callable[[str, bytes], Path]


def test_what_is_kept_stays_and_the_rest_goes(store: Store, tree: Path, make: Make, home: Path) -> None:
    (kept,) = store.put([tree])
    (gone,) = store.put([make("gone", pattern(MIB + 1, seed=1))])
    store.remove([gone.cid])
    before = {path.name for path in objects(home)}
    dry = store.gc(dry_run=True)
    assert {path.name for path in objects(home)} == before
    collected = store.gc()
    assert collected.model_copy(update={"dry_run": True}) == dry
    assert (collected.objects, collected.views, collected.blocks) == (1, 1, 1)
    assert collected.freed_bytes > MIB
    assert not store.has(CID.parse(gone.cid))
    store.verify([kept.cid])
    assert store.gc().freed_bytes == 0
    assert store.check() == []


def test_a_file_that_two_roots_share_stays_until_both_are_gone(store: Store, make: Make) -> None:
    (alone,) = store.put([make("tree/file", b"shared")])
    (folder,) = store.put([make("tree/file", b"shared").parent])
    store.remove([alone.cid])
    store.gc()
    assert b"".join(store.open(f"{folder.cid}/file")) == b"shared"
    assert store.object_path(CID.parse(alone.cid)).exists()
    store.remove([folder.cid])
    store.gc()
    assert not store.has(CID.parse(alone.cid))


def test_one_profile_can_go_while_another_keeps_the_bytes(store: Store, make: Make, home: Path) -> None:
    path = make("file", pattern(2 * MIB))
    (newer,) = store.put([path])
    (older,) = store.put([path], "unixfs-v0-2015")
    store.remove([newer.cid])
    collected = store.gc()
    assert (collected.objects, collected.views) == (0, 1)
    assert len(objects(home)) == 1
    assert not store.has(CID.parse(newer.cid))
    store.verify([older.cid])


def test_a_leaf_that_is_linked_by_itself_keeps_the_file_that_holds_it(store: Store, make: Make) -> None:
    data = pattern(2 * MIB)
    (file,) = store.put([make("file", data)])
    document = dagcbor.encode({"chunk": CID.of(data[:MIB])})
    with store.session() as session:
        session.block(CID.of(document, DAG_CBOR), document)
        session.commit([Root(CID.of(document, DAG_CBOR), "store", "document", "block")])
    store.remove([file.cid])
    store.gc()
    assert store.block(CID.of(data[:MIB])) == data[:MIB]
    store.verify()
    assert store.check() == []


def test_other_owners_keep_what_the_user_removes(store: Store, node: Node, make: Make) -> None:
    (stored,) = store.put([make("file", b"shared")])
    with node.database.write() as connection:
        store.keep(connection, Root(CID.parse(stored.cid), "model", "mine", "file"))
    store.remove([stored.cid])
    store.gc()
    assert b"".join(store.open(stored.cid)) == b"shared"
    with pytest.raises(Conflict, match="model:mine") as caught:
        store.remove([stored.cid])
    assert caught.value.suggestion == "ipfs-accel model rm mine"
    with node.database.write() as connection:
        assert store.release(connection, "model", "mine") == 1
    assert store.gc().objects == 1


def test_removing_is_all_or_nothing(store: Store, make: Make) -> None:
    (one,) = store.put([make("one", b"1")])
    with pytest.raises(NotFound):
        store.remove([one.cid, CID.of(b"never put")])
    assert [entry.cid for entry in store.ls().entries] == [one.cid]
    with pytest.raises(Invalid, match="only whole roots"):
        store.remove([f"{one.cid}/path"])


def test_content_cannot_be_kept_that_is_not_here(store: Store, node: Node) -> None:
    store.ls()
    with pytest.raises(NotFound), node.database.write() as connection:
        store.keep(connection, Root(CID.of(b"absent"), "model", "x", "file"))


def test_what_a_living_session_found_is_spared(store: Store, node: Node, make: Make, home: Path) -> None:
    path = make("file", pattern(MIB + 1))
    (stored,) = store.put([path])
    store.remove([stored.cid])
    with store.session() as session:
        again = session.path(path)
        with Node(home) as other:
            assert other.store.gc().objects == 0
        session.commit([Root(again.cid, "store", "file", "file")])
    assert b"".join(store.open(again.cid)) == pattern(MIB + 1)
    store.verify([again.cid])
    assert store.check() == []


def test_what_a_living_session_has_not_committed_is_left_alone(store: Store, home: Path) -> None:
    with store.session() as session:
        stored = session.file([pattern(MIB + 1)])
        with Node(home) as other:
            other.store.gc()
        session.commit([Root(stored.cid, "store", "x", "file")])
    store.verify([stored.cid])


def test_a_linked_file_is_the_users_and_frees_nothing(store: Store, make: Make) -> None:
    path = make("file", pattern(MIB))
    (stored,) = store.put([path], link=True)
    store.remove([stored.cid])
    collected = store.gc()
    assert (collected.objects, collected.freed_bytes) == (1, 0)
    assert path.read_bytes() == pattern(MIB)


def test_many_roots_and_blocks_are_collected(store: Store, make: Make, tmp_path: Path) -> None:
    for number in range(60):
        make(f"many/{number}", str(number).encode())
    (kept,) = store.put([tmp_path / "many"])
    (gone,) = store.put([make(f"many/{number}", b"") for number in range(60)][:1])
    store.remove([gone.cid])
    store.gc()
    store.verify([kept.cid])
    assert len(store.ls(kept.cid).entries) == 60
