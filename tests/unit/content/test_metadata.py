from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipfs_accel_cli.content import builder, dagpb, files, hamt, hashing, unixfs
from ipfs_accel_cli.content.builder import TreeBuilder
from ipfs_accel_cli.content.cid import CID, DAG_PB
from ipfs_accel_cli.content.errors import Malformed
from ipfs_accel_cli.content.profiles import PROFILES, Profile
from ipfs_accel_cli.content.unixfs import Metadata, Unixfs
from tests.unit.content.blockstore import SMALL, Blocks

STATED = Metadata(0o600, -5, 7)
WRAPPED = Profile("wrapped", chunk_bytes=4, width=3, cid_version=0, raw_leaves=False)

metadata = st.builds(Metadata, st.none() | st.integers(0, 0o7777)) | st.builds(
    Metadata,
    st.none() | st.integers(0, 0o7777),
    st.integers(-(1 << 63), (1 << 63) - 1),
    st.integers(0, 999_999_999),
)


@given(metadata)
def test_a_mode_and_time_read_back_but_for_the_usual_mode(stated: Metadata) -> None:
    read = unixfs.decode(unixfs.encode(Unixfs("directory").stamped(stated)))
    usual = stated.mode == 0o755
    expected = Metadata(None if usual else stated.mode, stated.mtime_s, stated.mtime_ns)
    assert read.metadata == (expected or None)


@given(st.binary(max_size=40), metadata, st.sampled_from([SMALL, WRAPPED]))
def test_a_file_with_metadata_has_its_content_still(content: bytes, stated: Metadata, profile: Profile) -> None:
    blocks = Blocks()
    built = blocks.file(content, profile, stated)
    assert b"".join(files.read(built.cid, blocks.read)) == content
    assert built.size_bytes == len(content)
    if stated:
        entry = unixfs.read(blocks[built.cid])
        assert entry.unixfs.mtime == Unixfs("file").stamped(stated).mtime
        assert built.total_bytes == len(blocks[built.cid]) + sum(link.size_bytes for link in entry.links)
    else:
        assert built == hashing.hash_bytes(content, profile)


@pytest.mark.parametrize("profile", [SMALL, WRAPPED], ids=lambda profile: profile.name)
def test_a_file_of_one_leaf_holds_its_content_and_metadata_in_one_block(profile: Profile) -> None:
    blocks: dict[CID, bytes] = {}
    built = hashing.hash_bytes(b"data", profile, blocks.__setitem__, STATED)
    assert list(blocks) == [built.cid]
    assert built.cid.codec == DAG_PB
    assert unixfs.read(blocks[built.cid]).unixfs == Unixfs("file", b"data", 4, mode=0o600, mtime=(-5, 7))


def test_the_usual_mode_is_left_out_and_the_root_is_a_dag_pb_block_all_the_same() -> None:
    usual = hashing.hash_bytes(b"data", SMALL, metadata=Metadata(0o644))
    assert usual.cid == hashing.hash_bytes(b"data", SMALL, metadata=Metadata(0o100644)).cid
    assert usual.cid.codec == DAG_PB
    assert builder.directory([], SMALL, Metadata(0o755)) == builder.directory([], SMALL)


@pytest.mark.parametrize("size", [0, 3, 4, 5, 40])
def test_a_file_on_disk_gets_the_same_root_as_the_bytes_in_memory(tmp_path: Path, size: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(range(size)))
    profile = PROFILES["unixfs-v1-2025"] if size > 39 else SMALL
    assert hashing.file_cid(path, profile, metadata=STATED) == hashing.hash_bytes(
        bytes(range(size)), profile, metadata=STATED
    )


def test_a_single_leaf_with_metadata_needs_its_content() -> None:
    for content in (None, b"other size"):
        tree = TreeBuilder(SMALL, metadata=STATED)
        tree.leaf(builder.leaf_digest(b"data", SMALL), 4)
        with pytest.raises(Malformed, match="needs its 4 bytes"):
            tree.finish(content)
    assert TreeBuilder(SMALL, metadata=STATED).finish().size_bytes == 0


def test_links_and_directories_take_metadata() -> None:
    for block, _ in (
        builder.symlink("target", SMALL, STATED),
        builder.directory([], SMALL, STATED),
    ):
        assert unixfs.read(block).unixfs.metadata == STATED
    assert hamt.build_directory([], SMALL, metadata=STATED).cid == builder.directory([], SMALL, STATED)[1].cid


@pytest.mark.parametrize(
    "values", [(-1,), (None, 1 << 63), (None, -(1 << 63) - 1), (None, 0, 1_000_000_000), (None, 0, -1), (None, None, 1)]
)
def test_what_is_no_mode_or_time_is_refused(values: tuple[int | None, ...]) -> None:
    with pytest.raises(Malformed):
        Metadata(*values)  # type: ignore[arg-type]


def test_bits_of_a_mode_that_have_no_meaning_yet_are_read_as_they_are() -> None:
    block = dagpb.encode(dagpb.Node((), unixfs.encode(Unixfs("directory", mode=0xFFFFF1ED))))
    assert unixfs.read(block).unixfs.metadata == Metadata(0xFFFFF1ED)
