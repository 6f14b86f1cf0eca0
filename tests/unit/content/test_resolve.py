from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipfs_accel_cli.content import builder, hamt
from ipfs_accel_cli.content.builder import Built
from ipfs_accel_cli.content.cid import CID, DAG_CBOR, DAG_JSON, DAG_PB
from ipfs_accel_cli.content.errors import ContentError, Malformed, MissingBlock, NoSuchPath
from ipfs_accel_cli.content.multihash import sha256
from ipfs_accel_cli.content.resolve import MAX_HOPS, Resolved, resolve
from tests.unit.content.blockstore import SMALL, Blocks, inline
from tests.unit.content.values import values


class World:
    """A directory with files, a large directory and documents, which lead back to files."""

    def __init__(self) -> None:
        self.blocks = Blocks()
        self.file = self.blocks.file(b"a file of some leaves").cid
        self.raw = self.blocks.put(b"raw")
        self.folder = self._folder({f"name {index}": self.raw for index in range(100)})
        self.json = self.blocks.json({"text": "…", "file": self.file})
        self.cbor = self.blocks.cbor({"list": [1, 2.5, None, True, b"b", {"deep": self.json}], "folder": self.folder})
        link = self.blocks.put(builder.symlink("file", SMALL)[0], DAG_PB)
        self.git = CID(1, 0x78, sha256(b""))
        self.plain = self.blocks.put(b"", DAG_PB)
        self.root = self._folder(
            {
                "file": self.file,
                "raw": self.raw,
                "large": self.folder,
                "doc": self.cbor,
                "link": link,
                "git": self.git,
                "plain": self.plain,
            }
        )
        self.link = link

    def _folder(self, entries: dict[str, CID]) -> CID:
        pairs = ((name, Built(cid, 0, 0)) for name, cid in entries.items())
        return hamt.build_directory(pairs, SMALL, self.blocks.__setitem__).cid

    def at(self, path: str) -> Resolved:
        return resolve(self.root, path, self.blocks.read)


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@pytest.mark.parametrize(
    ("path", "target", "remaining", "value", "kind"),
    [
        ("", "root", "", None, "directory"),
        ("/", "root", "", None, "directory"),
        ("file", "file", "", None, "file"),
        ("//raw/", "raw", "", None, "file"),
        ("link", "link", "", None, "symlink"),
        ("git", "git", "", None, "block"),
        ("plain", "plain", "", None, "block"),
        ("large", "folder", "", None, "directory"),
        ("large/name 7", "raw", "", None, "file"),
        ("doc/list/0", "cbor", "list/0", 1, "integer"),
        ("doc/list/1", "cbor", "list/1", 2.5, "float"),
        ("doc/list/2", "cbor", "list/2", None, "null"),
        ("doc/list/3", "cbor", "list/3", True, "boolean"),
        ("doc/list/4", "cbor", "list/4", b"b", "bytes"),
        ("doc/list/5/deep/text", "json", "text", "…", "text"),
        ("doc/list/5/deep/file", "file", "", None, "file"),
        ("doc/folder/name 99", "raw", "", None, "file"),
    ],
)
def test_a_path_leads_through_directories_and_documents(
    world: World, path: str, target: str, remaining: str, value: Any, kind: str
) -> None:
    assert world.at(path) == Resolved(getattr(world, target), remaining, value, kind)  # type: ignore[arg-type]


def test_a_document_at_the_end_is_returned_whole_and_a_part_of_it_by_itself(world: World) -> None:
    assert world.at("doc").value == {
        "list": [1, 2.5, None, True, b"b", {"deep": world.json}],
        "folder": world.folder,
    }
    assert world.at("doc/list/5") == Resolved(world.cbor, "list/5", {"deep": world.json}, "map")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("none", "no entry 'none'"),
        (".", "no entry"),
        ("large/../file", "no entry"),
        ("large/none", "no entry 'none'"),
        ("file/x", "nothing below"),
        ("raw/x", "nothing below"),
        ("link/x", "nothing below"),
        ("git/x", "nothing below"),
        ("doc/none", "no key 'none'"),
        ("doc/list/0/x", "nothing below"),
        ("doc/list/6", "no item '6'"),
        ("doc/list/-1", "no item"),
        ("doc/list/01", "no item"),
        ("doc/list/²", "no item"),
        ("doc/list/" + "9" * 5000, "no item"),
    ],
)
def test_a_path_that_leads_nowhere_says_where_it_ends(world: World, path: str, message: str) -> None:
    with pytest.raises(NoSuchPath, match=message) as caught:
        world.at(path)
    assert str(world.root) in str(caught.value)


def test_only_the_blocks_on_the_way_are_read(world: World) -> None:
    world.blocks.reads.clear()
    world.at("doc/list/5/deep/text")
    assert len(world.blocks.reads) == 3


def test_a_missing_block_on_the_way_is_named(world: World) -> None:
    blocks = Blocks()
    blocks.update(world.blocks)
    del blocks[world.json]
    with pytest.raises(MissingBlock) as caught:
        resolve(world.root, "doc/list/5/deep/text", blocks.read)
    assert caught.value.cid == world.json


def test_a_document_may_lie_in_its_cid() -> None:
    assert resolve(inline(b'{"a":[7]}', DAG_JSON), "a/0", Blocks().read).value == 7


def test_links_that_lead_only_to_links_end() -> None:
    blocks = Blocks()
    cid = blocks.cbor("end")
    for _ in range(MAX_HOPS - 1):
        cid = blocks.cbor(cid)
    assert resolve(cid, "", blocks.read).value == "end"
    with pytest.raises(Malformed, match="no further"):
        resolve(blocks.cbor(cid), "", blocks.read)


@given(values, st.sampled_from(["", "a", "0/a", "bytes/0", "//1"]))
def test_any_path_through_any_document_is_followed_or_refused(value: Any, path: str) -> None:
    blocks = Blocks()
    try:
        assert isinstance(resolve(blocks.cbor(value), path, blocks.read), Resolved)
    except ContentError:
        return


@given(st.sampled_from([DAG_PB, DAG_CBOR, DAG_JSON]), st.binary(max_size=60), st.text(max_size=10))
def test_random_blocks_and_paths_are_followed_or_refused(codec: int, data: bytes, path: str) -> None:
    blocks = Blocks()
    try:
        assert isinstance(resolve(blocks.put(data, codec), path, blocks.read), Resolved)
    except ContentError:
        return
