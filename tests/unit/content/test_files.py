from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipfs_accel_cli.content import builder, dagpb, files, unixfs
from ipfs_accel_cli.content.cid import CID, DAG_PB, RAW
from ipfs_accel_cli.content.dagpb import Link, Node
from ipfs_accel_cli.content.errors import ContentError, Malformed, MissingBlock, NoSuchPath
from ipfs_accel_cli.content.unixfs import Unixfs
from tests.unit.content.blockstore import SMALL, Blocks, inline
from tests.vectors.content import pattern


def node(*parts: tuple[CID, int], data: bytes = b"", name: str = "") -> bytes:
    sizes = tuple(size for _, size in parts)
    message = Unixfs("file", data, len(data) + sum(sizes), sizes)
    return dagpb.encode(Node(tuple(Link(cid, name, 0) for cid, _ in parts), unixfs.encode(message)))


@given(st.integers(0, 60), st.integers(0, 70), st.none() | st.integers(0, 70))
def test_any_stretch_of_a_file_reads_as_it_was_written(size: int, offset: int, length: int | None) -> None:
    blocks, content = Blocks(), pattern(size)
    cid = blocks.file(content).cid
    end = None if length is None else offset + length
    assert b"".join(files.read(cid, blocks.read, offset, length)) == content[offset:end]
    assert files.size_bytes(cid, blocks.read) == size


def test_only_the_blocks_that_hold_the_stretch_are_read() -> None:
    blocks = Blocks()
    cid = blocks.file(pattern(100)).cid
    assert b"".join(files.read(cid, blocks.read, 50, 2)) == pattern(100)[50:52]
    assert len(blocks.reads) == 4


def test_content_before_the_links_comes_first() -> None:
    blocks = Blocks()
    leaf = blocks.put(b"world")
    inner = blocks.put(node((leaf, 5), (inline(b"!"), 1), data=b"big "), DAG_PB)
    cid = blocks.put(node((inner, 10), (leaf, 5), data=b"hello "), DAG_PB)
    whole = b"hello big world!world"
    for start in range(len(whole) + 1):
        for length in range(len(whole) + 2):
            assert b"".join(files.read(cid, blocks.read, start, length)) == whole[start : start + length]


def test_parts_without_content_are_not_read() -> None:
    blocks = Blocks()
    cid = blocks.put(node((CID.of(b"absent"), 0), (blocks.put(b"x"), 1)), DAG_PB)
    assert list(files.read(cid, blocks.read)) == [b"x"]


def test_a_missing_leaf_is_named_after_what_came_before_it() -> None:
    blocks = Blocks()
    cid = blocks.file(b"one!two!").cid
    del blocks[CID.of(b"two!")]
    content = files.read(cid, blocks.read)
    assert next(content) == b"one!"
    with pytest.raises(MissingBlock, match=str(CID.of(b"two!"))):
        next(content)


@pytest.mark.parametrize("size", [2, 4])
def test_a_part_that_is_longer_or_shorter_than_stated_is_refused(size: int) -> None:
    blocks = Blocks()
    leaf = blocks.put(b"abc")
    for part in (leaf, blocks.put(node((leaf, 3)), DAG_PB)):
        with pytest.raises(Malformed, match="states"):
            list(files.read(blocks.put(node((part, size)), DAG_PB), blocks.read))


def test_a_part_that_is_a_directory_or_a_document_is_refused() -> None:
    blocks = Blocks()
    folder = blocks.put(builder.directory([], SMALL)[0], DAG_PB)
    for part in (folder, blocks.cbor("text")):
        with pytest.raises(Malformed, match="no part"):
            list(files.read(blocks.put(node((part, 1)), DAG_PB), blocks.read))


def test_a_part_with_a_name_is_refused() -> None:
    blocks = Blocks()
    with pytest.raises(Malformed, match="names"):
        list(files.read(blocks.put(node((blocks.put(b"x"), 1), name="x"), DAG_PB), blocks.read))


def test_a_chain_of_single_parts_ends() -> None:
    blocks = Blocks()
    cid = blocks.put(b"x")
    for _ in range(files.MAX_DEPTH + 1):
        cid = blocks.put(node((cid, 1)), DAG_PB)
    with pytest.raises(Malformed, match="deeper"):
        list(files.read(cid, blocks.read))


def test_what_is_no_file_is_named() -> None:
    blocks = Blocks()
    for cid, kind in (
        (blocks.put(builder.directory([], SMALL)[0], DAG_PB), "directory"),
        (blocks.put(builder.symlink("a", SMALL)[0], DAG_PB), "symlink"),
        (blocks.cbor([]), "dag-cbor"),
    ):
        with pytest.raises(NoSuchPath, match=kind):
            files.size_bytes(cid, blocks.read)


@given(st.sampled_from([RAW, DAG_PB]), st.binary(max_size=80))
def test_random_blocks_are_read_or_refused(codec: int, data: bytes) -> None:
    blocks = Blocks()
    try:
        assert isinstance(b"".join(files.read(blocks.put(data, codec), blocks.read)), bytes)
    except ContentError:
        return
