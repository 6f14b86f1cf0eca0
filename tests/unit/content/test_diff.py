from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipfs_accel_cli.content import hamt
from ipfs_accel_cli.content._shard import prefix
from ipfs_accel_cli.content.builder import Built
from ipfs_accel_cli.content.cid import CID, DAG_CBOR, DAG_JSON, DAG_PB
from ipfs_accel_cli.content.diff import Change, diff
from ipfs_accel_cli.content.errors import ContentError, MissingBlock
from ipfs_accel_cli.content.unixfs import Metadata
from tests.unit.content.blockstore import SMALL, Blocks
from tests.unit.content.shards import nested, shard
from tests.unit.content.values import values

Folder = dict[str, Any]
SHARDED = replace(SMALL, shard_over_bytes=0)
PLAIN = replace(SMALL, shard_over_bytes=1 << 20)

folders = st.recursive(
    st.binary(max_size=2),
    lambda inner: st.dictionaries(st.sampled_from([f"name {index}" for index in range(12)]), inner, max_size=8),
    max_leaves=12,
)


def stored(blocks: Blocks, item: Folder | bytes, profile: Any = SMALL, metadata: Metadata | None = None) -> Built:
    if isinstance(item, bytes):
        return Built(blocks.put(item), len(item), len(item))
    entries = [(name, stored(blocks, inner, profile)) for name, inner in item.items()]
    return hamt.build_directory(entries, profile, blocks.__setitem__, metadata)


def expected(old: Any, new: Any, blocks: Blocks, profile: Any, path: str = "") -> list[Change]:
    """Compare two trees of dictionaries, the slow way."""
    if isinstance(old, dict) and isinstance(new, dict):
        changes = []
        for name in sorted(old.keys() | new.keys()):
            below = f"{path}/{name}" if path else name
            if name not in old:
                changes.append(Change(below, "added", None, stored(blocks, new[name], profile).cid))
            elif name not in new:
                changes.append(Change(below, "removed", stored(blocks, old[name], profile).cid, None))
            else:
                changes += expected(old[name], new[name], blocks, profile, below)
        return changes
    if old == new:
        return []
    return [Change(path, "changed", stored(blocks, old, profile).cid, stored(blocks, new, profile).cid)]


@given(folders, folders, st.sampled_from([SMALL, SHARDED, PLAIN]))
def test_the_changes_are_those_of_a_comparison_entry_by_entry(old: Any, new: Any, profile: Any) -> None:
    blocks = Blocks()
    before, after = stored(blocks, old, profile).cid, stored(blocks, new, profile).cid
    assert list(diff(before, after, blocks.read)) == expected(old, new, blocks, profile)


@given(folders)
def test_the_same_files_packed_differently_do_not_differ(files: Any) -> None:
    blocks = Blocks()
    wide = replace(SHARDED, shard_fanout=256)
    roots = [stored(blocks, files, profile).cid for profile in (PLAIN, SHARDED, wide)]
    for before in roots:
        for after in roots:
            assert list(diff(before, after, blocks.read)) == []


def test_one_change_in_a_large_directory_reads_only_the_shards_above_it() -> None:
    blocks = Blocks()
    profile = replace(SHARDED, shard_fanout=256)
    files = {f"name {index}": b"%d" % index for index in range(3000)}
    before = stored(blocks, files, profile).cid
    after = stored(blocks, files | {"name 1234": b"new"}, profile).cid
    blocks.reads.clear()
    assert list(diff(before, after, blocks.read)) == [
        Change("name 1234", "changed", CID.of(b"1234"), CID.of(b"new")),
    ]
    assert len(blocks.reads) <= 8
    assert list(diff(before, before, blocks.read)) == []


def test_an_entry_that_pushes_another_one_level_down_is_one_change() -> None:
    blocks = Blocks()
    few = {f"name {index}": b"x" for index in range(40)}
    before = stored(blocks, few, SHARDED).cid
    for index in range(40, 80):
        after = stored(blocks, few | {f"name {index}": b"y"}, SHARDED).cid
        assert list(diff(before, after, blocks.read)) == [Change(f"name {index}", "added", None, CID.of(b"y"))]
        assert list(diff(after, before, blocks.read)) == [Change(f"name {index}", "removed", CID.of(b"y"), None)]


def test_a_mode_or_time_that_changed_is_told_and_what_is_below_compared() -> None:
    blocks = Blocks()
    before = stored(blocks, {"a": b"1"}, metadata=Metadata(0o700)).cid
    after = stored(blocks, {"a": b"2"}, metadata=Metadata(0o700, 5)).cid
    assert list(diff(before, after, blocks.read)) == [
        Change("", "changed", before, after),
        Change("a", "changed", CID.of(b"1"), CID.of(b"2")),
    ]


def test_documents_are_compared_by_key_and_position_and_through_their_links() -> None:
    blocks = Blocks()
    one, two = blocks.cbor({"deep": [1, 2]}), blocks.json({"deep": [1, 3, 4]})
    file, folder = blocks.put(b"file"), stored(blocks, {"a": b"1"}).cid
    before = blocks.cbor({"link": one, "gone": None, "kept": file, "kind": 1, "item": folder})
    after = blocks.cbor({"link": two, "more": [file], "kept": file, "kind": True, "item": file})
    assert list(diff(before, after, blocks.read)) == [
        Change("gone", "removed", None, None),
        Change("item", "changed", folder, file),
        Change("kind", "changed", 1, True),
        Change("link/deep/1", "changed", 2, 3),
        Change("link/deep/2", "added", None, 4),
        Change("more", "added", None, [file]),
    ]


def test_values_of_different_types_differ_though_python_holds_them_equal() -> None:
    blocks = Blocks()
    before, after = blocks.cbor([1, 0, 1.0, True]), blocks.cbor([1.0, False, 1, True])
    assert [change.path for change in diff(before, after, blocks.read)] == ["0", "1", "2"]


@given(values, values)
def test_documents_differ_exactly_when_their_canonical_bytes_do(old: Any, new: Any) -> None:
    blocks = Blocks()
    before, after = blocks.cbor(old), blocks.cbor(new)
    try:
        differ = bool(list(diff(before, after, blocks.read)))
    except MissingBlock:
        return
    assert differ == (before != after)


def test_a_missing_block_is_named() -> None:
    blocks = Blocks()
    before, after = stored(blocks, {"a": {"b": b"1"}}, PLAIN).cid, stored(blocks, {"a": {"b": b"2"}}, PLAIN).cid
    missing = stored(blocks, {"b": b"2"}, PLAIN).cid
    del blocks[missing]
    with pytest.raises(MissingBlock, match=str(missing)):
        list(diff(before, after, blocks.read))


def test_shards_made_to_be_compared_for_ever_are_not() -> None:
    blocks = Blocks()
    name = "00a"
    pair = [blocks.put(shard(name), DAG_PB), blocks.put(shard(name, field=b"\0\x01"), DAG_PB)]
    for _ in range(7):
        pair = [blocks.put(nested(cid, *(prefix(slot, 256) for slot in range(256))), DAG_PB) for cid in pair]
    assert list(diff(pair[0], pair[1], blocks.read)) == []
    assert len(blocks.reads) < 20


@given(st.lists(st.tuples(st.sampled_from([DAG_PB, DAG_CBOR, DAG_JSON]), st.binary(max_size=60)), min_size=2))
def test_random_blocks_are_compared_or_refused(pairs: list[tuple[int, bytes]]) -> None:
    blocks = Blocks()
    before, after, *_ = (blocks.put(data, codec) for codec, data in pairs)
    try:
        assert isinstance(list(diff(before, after, blocks.read)), list)
    except ContentError:
        return
