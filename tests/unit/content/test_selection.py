from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipfs_accel_cli.content import builder, files, hamt
from ipfs_accel_cli.content.builder import Built
from ipfs_accel_cli.content.cid import CID, DAG_PB
from ipfs_accel_cli.content.errors import Malformed, MissingBlock, NoSuchPath
from ipfs_accel_cli.content.resolve import resolve
from ipfs_accel_cli.content.selection import ByteRange, Scope, select
from ipfs_accel_cli.content.walk import walk
from tests.unit.content.blockstore import SMALL, Blocks, inline
from tests.unit.content.test_files import node
from tests.vectors.content import pattern

SCOPES: tuple[Scope, ...] = ("block", "entity", "all")


class World:
    """A directory of a file, a large directory and a document; the file's leaves repeat."""

    def __init__(self) -> None:
        self.blocks = Blocks()
        self.content = b"same" * 3 + b"else" + b"same" + b"xy"
        file = self.blocks.file(self.content)
        self.file = file.cid
        self.large = self._folder({f"name {index}": file for index in range(60)}, 0)
        self.raw = self.blocks.put(b"raw")
        self.doc = self.blocks.cbor({"a": {"file": self.file}, "b": [self.raw, self.raw, inline(b"inside")]})
        link = self.blocks.put(builder.symlink("file", SMALL)[0], DAG_PB)
        self.root = self._folder(
            {
                "doc": Built(self.doc, 0, 0),
                "file": file,
                "large": Built(self.large, 0, 0),
                "link": Built(link, 0, 0),
                "raw": Built(self.raw, 3, 3),
            },
            1000,
        )
        self.link = link

    def _folder(self, entries: dict[str, Built], shard_over_bytes: int) -> CID:
        profile = replace(SMALL, shard_over_bytes=shard_over_bytes)
        return hamt.build_directory(entries.items(), profile, self.blocks.__setitem__).cid

    def select(self, path: str, scope: Scope, span: str | None = None, *, duplicates: bool = False) -> list[CID]:
        byte_range = None if span is None else ByteRange.parse(span)
        selected = select(self.root, path, scope, byte_range, self.blocks.read, duplicates=duplicates)
        return [block.cid for block in selected]

    def leaves(self) -> list[CID]:
        return [CID.of(leaf) for leaf in (b"same", b"else", b"xy")]


@pytest.fixture(scope="module")
def world() -> World:
    return World()


def kept(blocks: Blocks, cids: list[CID]) -> Blocks:
    subset = Blocks()
    subset.update((cid, blocks[cid]) for cid in cids)
    return subset


def test_a_block_is_selected_with_those_that_lead_to_it(world: World) -> None:
    assert world.select("", "block") == [world.root]
    assert world.select("file", "block") == [world.root, world.file]
    assert world.select("raw", "block") == [world.root, world.raw]
    assert world.select("doc/a/file", "block") == [world.root, world.doc, world.file]
    assert world.select("doc/a", "block") == [world.root, world.doc]


def test_an_entity_is_a_whole_file_the_shards_of_a_directory_or_one_document(world: World) -> None:
    _, *shards = world.select("large", "entity")
    assert shards[0] == world.large
    assert dict(hamt.entries(world.large, kept(world.blocks, shards).read)).keys() == {
        f"name {index}" for index in range(60)
    }
    assert len(shards) == len(set(shards)) > 10
    assert world.select("", "entity") == [world.root]
    assert world.select("doc", "entity") == [world.root, world.doc]
    assert world.select("link", "entity") == [world.root, world.link]
    assert world.select("raw", "entity") == [world.root, world.raw]
    whole = world.select("file", "entity")
    assert b"".join(files.read(world.file, kept(world.blocks, whole).read)) == world.content


def test_everything_is_the_path_and_the_walk_below_it(world: World) -> None:
    assert world.select("", "all") == [cid for cid, _, _ in walk(world.root, world.blocks.read) if cid in world.blocks]
    assert world.select("file", "all") == world.select("file", "entity")
    assert world.select("raw", "all") == [world.root, world.raw]
    assert world.select("doc/b", "all") == [world.root, world.doc, world.raw]
    assert world.select("doc/b/0", "all") == [world.root, world.doc, world.raw]


def test_duplicates_come_as_often_as_the_walk_meets_them(world: World) -> None:
    same, other, last = world.leaves()
    first, second = (place.cid for place in files.open_file(world.file, world.blocks.read).below)
    expected = [world.root, world.file, first, same, same, same, second, other, same, last]
    for scope in ("entity", "all"):
        assert world.select("file", scope, duplicates=True) == expected
        assert world.select("file", scope) == list(dict.fromkeys(expected))
    assert world.select("doc/b", "all", duplicates=True) == [world.root, world.doc, world.raw, world.raw]


@pytest.mark.parametrize(
    ("span", "leaves"),
    [
        ("0:0", [0]),
        ("0:3", [0]),
        ("12:15", [1]),
        ("11:16", [0, 1]),
        ("-2:*", [2]),
        ("-1:-1", [2]),
        ("-3:-3", [0]),
        ("0:-7", [0, 1]),
        ("-999:4", [0]),
        ("0:*", [0, 1, 2]),
        ("0:999", [0, 1, 2]),
        ("21:21", [2]),
    ],
)
def test_a_range_selects_only_the_leaves_that_hold_it(world: World, span: str, leaves: list[int]) -> None:
    for scope in SCOPES:
        selected = world.select("file", scope, span)
        assert [leaf for leaf in selected if leaf in world.leaves()] == [world.leaves()[index] for index in leaves]


@pytest.mark.parametrize("span", ["22:*", "999:1000", "5:4", "-3:-5", "0:-999", "-999:-998"])
def test_a_range_outside_the_file_selects_its_root(world: World, span: str) -> None:
    assert world.select("file", "entity", span) == [world.root, world.file]


def test_a_range_means_nothing_for_what_is_no_file(world: World) -> None:
    for path in ("", "large", "doc", "link"):
        assert world.select(path, "entity", "3:4") == world.select(path, "entity")
    assert world.select("raw", "entity", "1:1") == world.select("raw", "block")


@given(st.integers(0, 60), st.integers(-70, 70), st.none() | st.integers(-70, 70), st.booleans())
def test_the_blocks_of_a_range_are_enough_to_read_it_and_none_is_idle(
    size: int, first: int, last: int | None, duplicates: bool
) -> None:
    blocks, content = Blocks(), pattern(size)
    root = blocks.file(content).cid
    span = ByteRange(first, last).of(size)
    selected = [block.cid for block in select(root, "", "entity", ByteRange(first, last), blocks.read)]
    subset = kept(blocks, selected)
    read = b"".join(files.read(root, subset.read, span.start, len(span)))
    assert read == content[span.start : span.stop]
    assert set(subset.reads) == set(selected)
    offsets = range(size)
    assert list(span) == [
        at
        for at in offsets
        if at >= (first if first >= 0 else size + first)
        and (last is None or at <= (last if last >= 0 else size + last))
    ]


@given(st.sampled_from(["", "file", "large", "large/name 3", "doc/a/file", "doc/b/0"]), st.sampled_from(SCOPES))
def test_every_selection_is_enough_to_follow_the_path_again(path: str, scope: Scope) -> None:
    world = World()
    subset = kept(world.blocks, world.select(path, scope))
    assert resolve(world.root, path, subset.read) == resolve(world.root, path, world.blocks.read)


def test_blocks_come_as_they_are_read() -> None:
    blocks = Blocks()
    root = blocks.file(pattern(200)).cid
    selected = select(root, "", "all", None, blocks.read)
    for _ in range(5):
        next(selected)
    assert len(blocks.reads) <= 6


def test_nothing_is_selected_before_the_path_is_known_to_lead_somewhere(world: World) -> None:
    with pytest.raises(NoSuchPath):
        next(select(world.root, "large/none", "all", None, world.blocks.read))


def test_a_missing_block_stops_the_selection_and_blocks_outside_a_range_may_be_missing(world: World) -> None:
    blocks = kept(world.blocks, [cid for cid in world.blocks if cid != CID.of(b"else")])
    assert len(list(select(world.file, "", "entity", ByteRange(0, 11), blocks.read))) == 3
    with pytest.raises(MissingBlock, match=str(CID.of(b"else"))):
        list(select(world.file, "", "entity", None, blocks.read))


def test_identity_cids_are_never_selected() -> None:
    assert list(select(inline(b"hello"), "", "all", None, Blocks().read, duplicates=True)) == []
    assert list(select(inline(b"hello"), "", "entity", ByteRange(1, 2), Blocks().read)) == []


def test_a_file_of_endless_repetitions_is_selected_once() -> None:
    blocks = Blocks()
    cid, size = blocks.put(b"x"), 1
    for _ in range(60):
        cid, size = blocks.put(node((cid, size), (cid, size)), DAG_PB), 2 * size
    assert len(list(select(cid, "", "entity", None, blocks.read))) == 61
    assert len(list(select(cid, "", "entity", ByteRange(1, -2), blocks.read))) == 61
    assert len(list(select(cid, "", "all", None, blocks.read))) == 61


@pytest.mark.parametrize("text", ["", ":", "1:", "*:1", "1-2", "a:b", "1:2:3", " 1:2", "+1:2", "²:3", "1" * 30 + ":*"])
def test_text_that_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(Malformed, match="no byte range"):
        ByteRange.parse(text)


def test_a_range_reads_as_the_gateway_writes_it() -> None:
    assert ByteRange.parse("0:1023") == ByteRange(0, 1023)
    assert ByteRange.parse("-1024:*") == ByteRange(-1024, None)
