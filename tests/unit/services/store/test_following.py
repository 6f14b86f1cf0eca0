"""A file that is hashed while it arrives enters the store as if it had been put."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipfs_accel_cli import Node
from ipfs_accel_cli.services.store.roots import Root

MIB = 1 << 20


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path / "home")


def arrive(node: Node, path: Path, pieces: list[bytes], profile: str | None = None) -> object:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    following = node.store.follow(path, profile)
    with path.open("ab", buffering=0) as file:
        for piece in pieces:
            file.write(piece)
            following.grew(len(piece))
    followed = following.finish()
    following.close()
    return followed


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 3 * MIB), max_size=6), st.sampled_from(["unixfs-v1-2025", "unixfs-v0-2015"]))
def test_it_is_the_same_as_a_file_that_was_put(node: Node, tmp_path: Path, sizes: list[int], profile: str) -> None:
    chance = random.Random(sum(sizes))
    pieces = [chance.randbytes(size) for size in sizes]
    whole = tmp_path / "whole"
    whole.write_bytes(b"".join(pieces))
    arriving = node.home.ensure("partial") / "arriving"
    arriving.unlink(missing_ok=True)
    followed = arrive(node, arriving, pieces, profile)
    with node.store.session(profile) as session:
        taken, put = session.take(followed), session.path(whole)
        assert taken == put
        session.commit([Root(taken.cid, "test", "test", "test")])
    assert b"".join(bytes(part) for part in node.store.open(taken.cid)) == whole.read_bytes()
    node.store.verify([taken.cid])


def test_its_bytes_lie_on_the_disk_once(node: Node) -> None:
    path = node.home.ensure("partial") / "arriving"
    followed = arrive(node, path, [b"x" * (5 * MIB)])
    with node.store.session() as session:
        stored = session.take(followed)
        session.commit([Root(stored.cid, "test", "test", "test")])
    assert node.store.object_path(stored.cid).samefile(path)


def test_one_that_was_written_since_is_read_again(node: Node) -> None:
    path = node.home.ensure("partial") / "arriving"
    followed = arrive(node, path, [b"before"])
    path.write_bytes(b"after that")
    with node.store.session() as session:
        stored = session.take(followed)
        session.commit([Root(stored.cid, "test", "test", "test")])
    assert b"".join(bytes(part) for part in node.store.open(stored.cid)) == b"after that"


def test_of_another_profile_it_is_read_again(node: Node) -> None:
    path = node.home.ensure("partial") / "arriving"
    followed = arrive(node, path, [b"x" * (3 * MIB)], "unixfs-v0-2015")
    with node.store.session("unixfs-v1-2025") as session:
        assert session.take(followed) == session.path(path)
