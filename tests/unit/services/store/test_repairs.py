"""A damaged file is made whole again: only what is damaged is asked for, and nothing unproven is kept."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.profiles import PROFILES
from ipfs_accel_cli.core.errors import NotFound, VerificationFailed
from ipfs_accel_cli.services.store import Store
from ipfs_accel_cli.services.store.repairing import Hole
from tests.unit.services.store.content import MIB, flip, objects, pattern

Make = Callable[[str, bytes], Path]


def original(data: bytes) -> Callable[[Hole], bytes]:
    return lambda hole: data[hole.offset : hole.offset + hole.length]


@pytest.mark.parametrize("profile", PROFILES)
def test_a_flipped_bit_is_one_hole_and_filling_it_heals(store: Store, home: Path, make: Make, profile: str) -> None:
    data = pattern(3 * MIB)
    (stored,) = store.put([make("file", data)], profile)
    cid = CID.parse(stored.cid)
    flip(objects(home)[0], 2 * MIB + 9)

    (hole,) = store.repairs.holes(cid)
    store.repairs.fill(cid, [hole], original(data))

    assert (hole.offset, hole.length) == (2 * MIB, PROFILES[profile].chunk_bytes)
    assert store.repairs.holes(cid) == []
    assert b"".join(store.open(cid)) == data
    assert store.check() == []
    store.verify()


@pytest.mark.parametrize("loss", ["cut", "grown", "missing"])
def test_a_file_that_lost_its_end_or_all_of_it_is_healed(store: Store, home: Path, make: Make, loss: str) -> None:
    data = pattern(3 * MIB + 5)
    (stored,) = store.put([make("file", data)])
    cid, (path,) = CID.parse(stored.cid), objects(home)
    os.chmod(path, 0o644)
    if loss == "missing":
        path.unlink()
    else:
        os.truncate(path, MIB + 1 if loss == "cut" else 4 * MIB)

    holes = store.repairs.holes(cid)
    store.repairs.fill(cid, holes, original(data))

    assert sum(hole.length for hole in holes) == {"cut": 2 * MIB + 5, "grown": 0, "missing": len(data)}[loss]
    assert b"".join(store.open(cid)) == data
    assert store.check() == []


def test_wrong_bytes_for_a_hole_leave_the_store_as_it_was(store: Store, home: Path, make: Make) -> None:
    data = pattern(2 * MIB)
    (stored,) = store.put([make("file", data)])
    cid, (path,) = CID.parse(stored.cid), objects(home)
    flip(path, 7)
    before = path.read_bytes()
    holes = store.repairs.holes(cid)

    with pytest.raises(VerificationFailed, match="are not that block"):
        store.repairs.fill(cid, holes, lambda hole: bytes(hole.length))

    assert path.read_bytes() == before
    assert len(store.repairs.holes(cid)) == 1
    assert not any((home / "staging").iterdir())


def test_a_hard_link_is_replaced_and_the_users_file_stays_as_it_is(store: Store, home: Path, make: Make) -> None:
    data = pattern(2 * MIB)
    path = make("file", data)
    (stored,) = store.put([path], link=True)
    cid = CID.parse(stored.cid)
    flip(path, 7)
    changed = path.read_bytes()

    store.repairs.fill(cid, store.repairs.holes(cid), original(data))

    assert path.read_bytes() == changed
    assert not path.samefile(objects(home)[0])
    assert b"".join(store.open(cid)) == data
    store.verify()


def test_what_another_object_holds_fills_a_hole_without_asking_anybody(store: Store, home: Path, make: Make) -> None:
    data = pattern(2 * MIB)
    (stored,) = store.put([make("file", data)])
    list(store.put([make("longer", data + b"more")]))
    cid = CID.parse(stored.cid)
    (path,) = (one for one in objects(home) if one.stat().st_size == len(data))
    flip(path, MIB + 7)

    (hole,) = store.repairs.holes(cid)

    assert store.repairs.spare(hole) == data[MIB:]


def test_a_hole_that_nobody_else_holds_has_no_spare(store: Store, home: Path, make: Make) -> None:
    (stored,) = store.put([make("file", pattern(2 * MIB))])
    flip(objects(home)[0], 7)

    (hole,) = store.repairs.holes(CID.parse(stored.cid))

    assert store.repairs.spare(hole) is None


def test_lost_nodes_and_directories_are_made_again_from_the_leaves(store: Store, node: Node, tree: Path) -> None:
    files = {path.relative_to(tree).as_posix(): path for path in tree.rglob("*") if path.is_file()}
    with store.session() as session:
        stored = {name: session.path(path) for name, path in files.items()}
        root = session.directory(stored)
        session.commit()
    with node.database.write() as connection:
        connection.execute("UPDATE blocks SET data = zeroblob(size_bytes)")
    with pytest.raises(VerificationFailed):
        store.verify([root.cid])

    again = store.repairs.rebuild({name: one.cid for name, one in stored.items()}, "unixfs-v1-2025")

    assert again == root.cid
    store.verify([root.cid])


def test_what_the_store_never_held_cannot_be_repaired(store: Store) -> None:
    with pytest.raises(NotFound):
        store.repairs.holes(CID.of(b"never"))
