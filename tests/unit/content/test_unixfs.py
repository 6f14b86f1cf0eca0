from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipfs_accel_cli.content import builder, dagpb, unixfs
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.dagpb import Link, Node
from ipfs_accel_cli.content.errors import ContentError, Malformed, Unsupported
from ipfs_accel_cli.content.profiles import DEFAULT_PROFILE, PROFILES, profile
from ipfs_accel_cli.content.unixfs import Unixfs
from tests.unit.content.damage import damaged

LEAF = CID.of(b"leaf")
sizes = st.integers(0, (1 << 63) - 1)
messages = st.builds(
    Unixfs,
    kind=st.sampled_from(unixfs.KINDS),
    data=st.binary(max_size=20),
    file_size=st.none() | sizes,
    block_sizes=st.lists(sizes, max_size=4).map(tuple),
    hash_type=st.none() | st.integers(0, 1 << 20),
    fanout=st.none() | st.integers(0, 1024),
    mode=st.none() | st.integers(0, 0xFFFFFFFF),
    mtime=st.none() | st.tuples(st.integers(-(1 << 63), (1 << 63) - 1), st.integers(0, 999_999_999)),
)


def block(message: Unixfs, *names: str) -> bytes:
    return dagpb.encode(Node(tuple(Link(LEAF, name, 4) for name in names), unixfs.encode(message)))


@given(messages)
def test_a_message_reads_back(message: Unixfs) -> None:
    assert unixfs.decode(unixfs.encode(message)) == message


@given(st.binary(max_size=100) | damaged(messages.map(unixfs.encode)))
def test_damaged_messages_are_read_or_refused(data: bytes) -> None:
    try:
        message = unixfs.decode(data)
    except ContentError:
        return
    assert unixfs.decode(unixfs.encode(message)) == message


@given(st.binary(max_size=200) | damaged(messages.map(lambda message: block(message, "a", "b"))))
def test_damaged_blocks_never_give_a_name_that_leaves_its_directory(data: bytes) -> None:
    try:
        entry = unixfs.read(data)
    except ContentError:
        return
    if entry.kind == "directory":
        for link in entry.links:
            assert unixfs.check_name(link.name) == link.name


@pytest.mark.parametrize(
    "encoded",
    [
        "",
        "0806",
        "08020801",
        "0802180118",
        "1800",
        "0a00",
        "0802208080808080808080800120",
        "08024203080150",
        "080242050d00000000",
        "08024207080115ffffffff",
        "08022080808080808080808001",
    ],
)
def test_a_message_without_a_type_or_with_a_bad_field_is_refused(encoded: str) -> None:
    with pytest.raises(Malformed):
        unixfs.decode(bytes.fromhex(encoded))


def test_packed_block_sizes_and_fields_of_the_future_are_read() -> None:
    assert unixfs.decode(bytes.fromhex("0802" + "22020407" + "7a0161")) == Unixfs("file", block_sizes=(4, 7))


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/", "a\0b", "\ud800", b"\xff", b"..", b""])
def test_a_name_that_could_leave_its_directory_is_refused(name: Any) -> None:
    with pytest.raises(Malformed):
        unixfs.check_name(name)


@pytest.mark.parametrize("name", ["a", "...", ".hidden", "a b", "ü", "\\", "-"])
def test_other_names_are_kept_as_they_are(name: str) -> None:
    assert unixfs.check_name(name) == unixfs.check_name(name.encode()) == name


@pytest.mark.parametrize("names", [("..",), ("a/../b",), ("",), ("a", "a")])
def test_a_directory_that_could_write_outside_itself_is_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(Malformed):
        unixfs.read(block(Unixfs("directory"), *names))


@pytest.mark.parametrize(
    "message",
    [
        Unixfs("file", file_size=8, block_sizes=(4,)),
        Unixfs("file", file_size=9, block_sizes=(4, 4)),
        Unixfs("file", block_sizes=(4, 4, 4)),
        Unixfs("raw", b"data", file_size=3),
        Unixfs("symlink", b"target"),
    ],
)
def test_a_block_whose_message_and_links_disagree_is_refused(message: Unixfs) -> None:
    with pytest.raises(Malformed):
        unixfs.read(block(message, "", ""))


@pytest.mark.parametrize("target", [b"", b"a\0b", b"\xff"])
def test_a_symbolic_link_without_a_usable_target_is_refused(target: bytes) -> None:
    with pytest.raises(Malformed):
        unixfs.read(block(Unixfs("symlink", target)))


def test_a_dag_pb_block_that_is_not_unixfs_is_refused() -> None:
    with pytest.raises(Malformed, match="not UnixFS"):
        unixfs.read(b"")


def test_entries_tell_their_size_and_their_children() -> None:
    assert unixfs.read(block(Unixfs("file", b"abc", block_sizes=(4, 4)), "", "")).size_bytes == 11
    folder = unixfs.read(block(Unixfs("directory"), "a", "b"))
    assert folder.size_bytes == 0
    assert folder.child("b") == Link(LEAF, "b", 4)
    assert folder.child("c") is None
    assert unixfs.read(block(Unixfs("file", b"abc"))).child("a") is None


def test_a_sharded_directory_is_recognised_and_not_read_by_name() -> None:
    entry = unixfs.read(block(Unixfs("hamt-shard", b"\xff", hash_type=0x22, fanout=256), "00a"))
    assert entry.kind == "hamt-shard"
    with pytest.raises(Unsupported, match="HAMT"):
        entry.child("a")


@pytest.mark.parametrize("name", PROFILES)
def test_what_the_builder_writes_is_read(name: str) -> None:
    leaf = builder.Built(LEAF, 4, 4)
    data, _ = builder.directory([("b", leaf), ("a", leaf)], PROFILES[name])
    assert [link.name for link in unixfs.read(data).links] == ["a", "b"]
    data, built = builder.symlink("ü/target", PROFILES[name])
    assert unixfs.read(data).unixfs.data.decode() == "ü/target"
    built.cid.verify(data)


def test_profiles_are_found_by_name_and_unknown_ones_are_answered_with_the_list() -> None:
    assert profile() is PROFILES[DEFAULT_PROFILE]
    with pytest.raises(Malformed, match="legacy-cid-v1"):
        profile("unixfs-v9")
