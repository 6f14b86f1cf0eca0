from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipfs_accel_cli.content import blocks as reading
from ipfs_accel_cli.content.cid import CID, DAG_CBOR, DAG_PB
from ipfs_accel_cli.content.errors import ContentError, Mismatch, MissingBlock, OverLimit, Unsupported
from ipfs_accel_cli.content.multihash import sha256
from ipfs_accel_cli.content.walk import walk
from tests.unit.content.blockstore import Blocks, inline
from tests.vectors.content import pattern


def diamond() -> tuple[Blocks, CID, list[CID]]:
    """Return a DAG in which one document is reached by a short way and before that by a long one."""
    blocks = Blocks()
    leaf = blocks.put(b"leaf")
    shared = blocks.cbor([leaf])
    long = blocks.cbor({"down": shared})
    root = blocks.cbor([blocks.cbor([long]), shared, leaf])
    return blocks, root, [root, blocks.cbor([long]), long, shared, leaf]


def test_blocks_come_once_before_those_they_link_to_in_link_order() -> None:
    blocks, root, order = diamond()
    assert [(cid, depth) for cid, _, depth in walk(root, blocks.read)] == list(zip(order, range(5), strict=True))
    assert all(blocks[cid] == data for cid, data, _ in walk(root, blocks.read))


def test_the_depth_counts_from_the_nearest_way() -> None:
    blocks, root, order = diamond()
    _, middle, long, shared, leaf = order
    assert [cid for cid, _, _ in walk(root, blocks.read, max_depth=0)] == [root]
    assert {cid for cid, _, _ in walk(root, blocks.read, max_depth=1)} == {root, middle, shared, leaf}
    # The leaf is only two steps away by the short way, though the long way comes first and is cut off.
    near = blocks.cbor([blocks.cbor([long]), blocks.cbor([shared])])
    found = [cid for cid, _, _ in walk(near, blocks.read, max_depth=3)]
    assert leaf in found
    assert len(found) == len(set(found))


def test_a_block_named_by_both_versions_of_its_cid_comes_once() -> None:
    blocks = Blocks()
    first = blocks.put(b"", DAG_PB)
    second = first.to_v0()
    blocks[second] = b""
    assert len(list(walk(blocks.cbor([first, second]), blocks.read))) == 2


def test_bounds_stop_the_walk_before_a_block_too_many_or_after_a_byte_too_many() -> None:
    blocks, root, order = diamond()
    size = sum(map(len, blocks.values()))
    assert len(list(walk(root, blocks.read, max_blocks=5, max_bytes=size))) == 5
    for bounds in ({"max_blocks": 4}, {"max_bytes": size - 1}):
        blocks.reads.clear()
        found = []
        with pytest.raises(OverLimit):
            for cid, _, _ in walk(root, blocks.read, **bounds):
                found.append(cid)
        assert found == order[:4]
    assert len(blocks.reads) == 5


def test_identity_cids_are_walked_without_being_read_or_counted() -> None:
    blocks = Blocks()
    inner = inline(b"\xa0", DAG_CBOR)
    outer = inline(b"\x81\xd8\x2a" + bytes([0x40 + 1 + len(bytes(inner)), 0]) + bytes(inner), DAG_CBOR)
    root = blocks.cbor([outer, outer])
    assert [cid for cid, _, _ in walk(root, blocks.read, max_blocks=1)] == [root, outer, inner]
    assert blocks.reads == [root]


def test_a_dag_of_endless_paths_is_walked_in_as_many_steps_as_it_has_blocks() -> None:
    blocks = Blocks()
    cid = blocks.put(b"end")
    for _ in range(200):
        cid = blocks.cbor([cid, cid])
    assert len(list(walk(cid, blocks.read))) == 201
    assert len(list(walk(cid, blocks.read, max_depth=100))) == 101


def test_a_long_chain_needs_no_deep_stack() -> None:
    blocks = Blocks()
    cid = blocks.put(b"end")
    for _ in range(5000):
        cid = blocks.cbor([cid])
    assert len(list(walk(cid, blocks.read))) == 5001


def test_a_missing_block_is_named() -> None:
    blocks, root, order = diamond()
    del blocks[order[-1]]
    with pytest.raises(MissingBlock) as caught:
        list(walk(root, blocks.read))
    assert caught.value.cid == order[-1]


def test_a_codec_whose_links_cannot_be_read_is_named_unless_the_walk_ends_there() -> None:
    blocks = Blocks()
    git = CID(1, 0x78, sha256(b"tree"))
    blocks[git] = b"tree"
    root = blocks.cbor([git])
    with pytest.raises(Unsupported, match="git-raw"):
        list(walk(root, blocks.read))
    assert len(list(walk(root, blocks.read, max_depth=1))) == 2


def test_a_verified_reader_refuses_another_block_than_was_asked_for() -> None:
    blocks, root, order = diamond()
    blocks[order[1]] = blocks[order[2]]
    with pytest.raises(Mismatch, match=str(order[1])):
        list(walk(root, reading.verified(blocks.read)))


@given(st.integers(0, 200))
def test_a_file_is_walked_whole(size: int) -> None:
    blocks = Blocks()
    built = blocks.file(pattern(size))
    walked = list(walk(built.cid, blocks.read))
    assert {cid for cid, _, _ in walked} == set(blocks)
    assert sum(len(data) for _, data, _ in walked) <= built.total_bytes


@given(st.sampled_from([0x55, DAG_PB, DAG_CBOR, 0x0129]), st.binary(max_size=80))
def test_random_blocks_are_walked_or_refused(codec: int, data: bytes) -> None:
    blocks = Blocks()
    try:
        assert list(walk(blocks.put(data, codec), blocks.read))
    except ContentError:
        return
