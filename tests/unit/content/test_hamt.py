from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipfs_accel_cli.content import builder, hamt, hashing, unixfs
from ipfs_accel_cli.content._shard import prefix
from ipfs_accel_cli.content.builder import Built
from ipfs_accel_cli.content.cid import CID, DAG_CBOR, DAG_PB
from ipfs_accel_cli.content.dagpb import Link
from ipfs_accel_cli.content.errors import ContentError, Malformed, MissingBlock, NoSuchPath, Unsupported
from ipfs_accel_cli.content.murmur3 import hash64
from ipfs_accel_cli.content.profiles import PROFILES, Profile
from ipfs_accel_cli.content.unixfs import Metadata
from tests.unit.content.blockstore import SMALL, Blocks, inline
from tests.unit.content.damage import damaged
from tests.unit.content.shards import nested, own_slot, shard
from tests.vectors.content import keystream
from tests.vectors.trees import COLLIDING, EQUAL_IN_ALL_BITS

LEAF = Built(CID.of(b"x"), 1, 1)
ALWAYS = replace(PROFILES["unixfs-v1-2025"], shard_over_bytes=0)
name_texts = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=20).filter(
    lambda name: name not in (".", "..")
)


def stored(names: list[str], profile: Profile = ALWAYS, metadata: Metadata | None = None) -> tuple[Blocks, CID]:
    blocks = Blocks()
    built = hamt.build_directory(((name, LEAF) for name in names), profile, blocks.__setitem__, metadata)
    return blocks, built.cid


def kubo_names(seed: str, count: int, width: int, last_width: int) -> list[str]:
    """Return the names of the directories in Kubo's own test of the CID profiles."""
    alphabet, stream = "abcdefghijklmnopqrstuvwxyz01234567890-_", keystream(seed, 1 << 20)
    ends = [width * index for index in range(count)] + [width * (count - 1) + last_width]
    texts = [stream[start:end] for start, end in pairwise(ends)]
    return ["".join(alphabet[byte % len(alphabet)] for byte in text) for text in texts]


@pytest.mark.parametrize(
    ("name", "count", "width", "last_width", "kind", "cid"),
    [
        ("unixfs-v0-2015", 4096, 30, 30, "directory", "QmX5GtRk3TSSEHtdrykgqm4eqMEn3n2XhfkFAis5fjyZmN"),
        ("unixfs-v0-2015", 4033, 31, 31, "hamt-shard", "QmeMiJzmhpJAUgynAcxTQYek5PPKgdv3qEvFsdV3XpVnvP"),
        ("unixfs-v1-2025", 4766, 11, 21, "directory", "bafybeic3h7rwruealwxkacabdy45jivq2crwz6bufb5ljwupn36gicplx4"),
        ("unixfs-v1-2025", 4766, 11, 22, "hamt-shard", "bafybeiegvuterwurhdtkikfhbxcldohmxp566vpjdofhzmnhv6o4freidu"),
    ],
)
def test_directories_at_the_limit_and_a_byte_over_it_have_the_identity_of_ipip_499(
    name: str, count: int, width: int, last_width: int, kind: str, cid: str
) -> None:
    profile, blocks = PROFILES[name], Blocks()
    leaf = hashing.hash_bytes(b"x", profile)
    names = kubo_names(f"hamt-{name}", count, width, last_width)
    built = hamt.build_directory(((name, leaf) for name in names), profile, blocks.__setitem__)
    assert str(built.cid) == cid
    assert unixfs.read(blocks[built.cid]).kind == kind
    assert {name for name, _ in hamt.entries(built.cid, blocks.read)} == set(names)


@given(st.sets(name_texts, max_size=60), st.sampled_from([8, 16, 256, 1024]), st.integers(0, 1000))
def test_every_entry_is_listed_and_found_and_no_other(names: set[str], fanout: int, limit: int) -> None:
    profile = replace(ALWAYS, shard_fanout=fanout, shard_over_bytes=limit)
    blocks, cid = stored(sorted(names), profile)
    listed = dict(hamt.entries(cid, blocks.read))
    assert set(listed) == names
    for name in names:
        link = hamt.child(cid, name, blocks.read)
        assert link == listed[name] == Link(LEAF.cid, name, LEAF.total_bytes)
    for other in ("none of them", "", "a/b"):
        assert (hamt.child(cid, other, blocks.read) is not None) == (other in names)


@given(st.lists(name_texts, unique=True, max_size=20), st.randoms(use_true_random=False))
def test_the_order_of_the_entries_does_not_matter(names: list[str], chance: object) -> None:
    assert stored(names)[1] == stored(sorted(names))[1] == stored(names[::-1])[1]


def test_finding_an_entry_reads_only_the_shards_on_its_way() -> None:
    names = [f"name {index}" for index in range(3000)]
    blocks, cid = stored(names)
    hamt.child(cid, "name 1234", blocks.read)
    assert len(blocks.reads) <= 3
    assert len(blocks) > 256


def test_names_that_agree_in_most_of_their_hash_lie_eight_levels_deep() -> None:
    names = [*COLLIDING, EQUAL_IN_ALL_BITS[0]]
    blocks, cid = stored(names)
    assert len(blocks) == 8
    assert {name for name, _ in hamt.entries(cid, blocks.read)} == set(names)
    assert hamt.child(cid, EQUAL_IN_ALL_BITS[1], blocks.read) is None
    for name in names:
        assert hamt.child(cid, name, blocks.read) is not None


@pytest.mark.parametrize("fanout", [8, 256, 1024])
def test_names_that_agree_in_all_bits_of_their_hash_are_refused(fanout: int) -> None:
    with pytest.raises(Unsupported, match="64 bits"):
        stored(list(EQUAL_IN_ALL_BITS), replace(ALWAYS, shard_fanout=fanout))


def test_every_block_is_reported_once_and_the_root_last() -> None:
    reported: list[CID] = []
    built = hamt.build_directory(
        ((f"name {index}", LEAF) for index in range(600)), ALWAYS, lambda cid, _: reported.append(cid)
    )
    assert len(set(reported)) == len(reported)
    assert reported[-1] == built.cid
    assert built.size_bytes == 600


def test_an_empty_directory_is_plain_whatever_the_limit() -> None:
    built = hamt.build_directory([], ALWAYS, metadata=Metadata(0o700))
    assert built == builder.directory([], ALWAYS, Metadata(0o700))[1]


@pytest.mark.parametrize("fanout", [0, 4, 12, 100, 2048])
def test_a_fan_out_that_no_one_reads_is_not_written(fanout: int) -> None:
    with pytest.raises(Malformed, match="fan-out"):
        stored(["a"], replace(ALWAYS, shard_fanout=fanout))


@pytest.mark.parametrize("names", [["a", "a"], [".."], ["a/b"], [""]])
def test_forbidden_and_repeated_names_are_refused(names: list[str]) -> None:
    with pytest.raises(Malformed):
        stored(names)


def test_only_the_root_of_a_sharded_directory_has_its_metadata() -> None:
    names = [f"name {index}" for index in range(600)]
    blocks, cid = stored(names, metadata=Metadata(0o700, 5))
    assert unixfs.read(blocks[cid]).unixfs.metadata == Metadata(0o700, 5)
    assert [other for other in blocks if other != cid and unixfs.read(blocks[other]).unixfs.metadata] == []


def test_what_is_no_directory_is_named() -> None:
    blocks = Blocks()
    file = blocks.file(b"a file of some leaves").cid
    for cid, kind in ((file, "file"), (CID.of(b"x"), "raw"), (blocks.cbor({}), "dag-cbor")):
        with pytest.raises(NoSuchPath, match=kind):
            hamt.entries(cid, blocks.read)
        with pytest.raises(NoSuchPath, match=kind):
            hamt.child(cid, "a", blocks.read)


def test_a_missing_shard_is_named_when_its_turn_comes() -> None:
    blocks, cid = stored([f"name {index}" for index in range(600)])
    missing = next(other for other in blocks if other != cid)
    del blocks[missing]
    with pytest.raises(MissingBlock) as caught:
        list(hamt.entries(cid, blocks.read))
    assert caught.value.cid == missing


def test_a_directory_may_lie_in_its_cid() -> None:
    block, _ = builder.directory([("a", LEAF)], SMALL)
    assert hamt.child(inline(block, DAG_PB), "a", Blocks().read) == Link(LEAF.cid, "a", 1)


GOOD = own_slot("a") + "a"
LETTERED = next(own_slot(name) + name for name in "abcdef" if own_slot(name).lower() != own_slot(name))


def test_a_shard_made_by_hand_is_read_whatever_the_order_of_its_links_and_zeros_of_its_field() -> None:
    names = sorted((own_slot(name) + name for name in ("a", "b", "c")), reverse=True)
    blocks = Blocks()
    cid = blocks.put(shard(*names), DAG_PB)
    assert {name for name, _ in hamt.entries(cid, blocks.read)} == {"a", "b", "c"}
    occupied = (1 << int(GOOD[:2], 16)).to_bytes(32, "big")
    assert len(list(hamt.entries(blocks.put(shard(GOOD, field=occupied), DAG_PB), blocks.read))) == 1


@pytest.mark.parametrize(
    "block",
    [
        shard(own_slot("b") + "a"),
        shard(GOOD, GOOD),
        shard(GOOD, GOOD + "b"),
        shard(GOOD, field=b""),
        shard(GOOD, field=bytes([255] * 33)),
        shard(LETTERED[:2].lower() + LETTERED[2:]),
        shard("0xa", field=b"\x01"),
        shard("+1a", field=b"\x02"),
        shard("0", field=b"\x01"),
        shard("", field=b""),
        shard(GOOD + "/b"),
        shard(GOOD[:2] + ".."),
        shard(GOOD, fanout=None),
        shard(GOOD, fanout=255),
        shard(GOOD, fanout=4),
        shard(fanout=1 << 10, field=b"\x01"),
    ],
    ids=str,
)
def test_a_shard_that_could_mislead_is_refused(block: bytes) -> None:
    blocks = Blocks()
    with pytest.raises(Malformed):
        list(hamt.entries(blocks.put(block, DAG_PB), blocks.read))


def test_another_hash_function_is_named() -> None:
    blocks = Blocks()
    for hash_type in (None, 0x12):
        with pytest.raises(Unsupported, match="hash function"):
            hamt.entries(blocks.put(shard(GOOD, hash_type=hash_type), DAG_PB), blocks.read)


def test_a_table_of_empty_shards_is_not_walked_for_ever() -> None:
    blocks = Blocks()
    cid = blocks.put(shard(), DAG_PB)
    for _ in range(7):
        cid = blocks.put(nested(cid, *(prefix(slot, 256) for slot in range(256))), DAG_PB)
    with pytest.raises(Malformed, match="empty shard"):
        list(hamt.entries(cid, blocks.read))
    assert len(blocks.reads) < 20


def test_one_shard_in_two_slots_is_refused() -> None:
    name = next(name for name in map(str, range(9999)) if f"{hash64(name.encode()):016x}"[2:4] == "07")
    blocks = Blocks()
    below = blocks.put(shard("07" + name), DAG_PB)
    first = own_slot(name)
    second = "00" if first != "00" else "01"
    with pytest.raises(Malformed, match="own slot"):
        list(hamt.entries(blocks.put(nested(below, *sorted((first, second))), DAG_PB), blocks.read))


def test_shards_of_two_fan_outs_and_a_plain_directory_among_shards_are_refused() -> None:
    blocks = Blocks()
    plain = blocks.put(builder.directory([("a", LEAF)], ALWAYS)[0], DAG_PB)
    other, _ = stored(["a"], replace(ALWAYS, shard_fanout=16))
    blocks.update(other)
    for cid, message in ((plain, "plain directory"), (next(iter(other)), "of 256 and of 16")):
        with pytest.raises(Malformed, match=message):
            list(hamt.entries(blocks.put(nested(cid, own_slot("a")), DAG_PB), blocks.read))
        with pytest.raises(Malformed, match=message):
            hamt.child(blocks.put(nested(cid, own_slot("a")), DAG_PB), "a", blocks.read)


def test_shards_deeper_than_the_hash_are_refused() -> None:
    slots = [EQUAL_IN_ALL_BITS[0]]
    path = f"{hash64(slots[0].encode()):016X}"
    blocks = Blocks()
    cid = blocks.put(shard("00x"), DAG_PB)
    for level in reversed(range(8)):
        cid = blocks.put(nested(cid, path[2 * level : 2 * level + 2]), DAG_PB)
    with pytest.raises(Unsupported, match="deeper"):
        list(hamt.entries(cid, blocks.read))
    with pytest.raises(Unsupported, match="deeper"):
        hamt.child(cid, slots[0], blocks.read)


@settings(max_examples=200)
@given(st.binary(max_size=100) | damaged(st.sampled_from([shard(GOOD), nested(LEAF.cid, "A0", "B1")])))
def test_random_and_damaged_shards_are_read_or_refused(block: bytes) -> None:
    blocks = Blocks()
    cid = blocks.put(block, DAG_PB)
    for attempt in (lambda: list(hamt.entries(cid, blocks.read)), lambda: hamt.child(cid, "a", blocks.read)):
        try:
            attempt()
        except ContentError:
            continue


def test_a_cbor_document_is_no_directory_even_inline() -> None:
    with pytest.raises(NoSuchPath):
        hamt.entries(inline(b"\xa0", DAG_CBOR), Blocks().read)
