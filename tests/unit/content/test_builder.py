from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipfs_accel_cli.content import builder, dagpb, hashing, unixfs
from ipfs_accel_cli.content.builder import Built, TreeBuilder
from ipfs_accel_cli.content.cid import CID, DAG_PB, RAW
from ipfs_accel_cli.content.errors import Malformed, Unsupported
from ipfs_accel_cli.content.profiles import PROFILES, Profile
from tests.vectors.content import keystream, pattern

REFERENCE: dict[str, Any] = json.loads((Path(__file__).parents[2] / "vectors/unixfs_reference.json").read_text("utf-8"))
DEFAULT = PROFILES["unixfs-v1-2025"]
Folder = dict[str, Any]


def answer(built: Built) -> dict[str, Any]:
    return {"cid": str(built.cid), "total_bytes": built.total_bytes}


def build_tree(entries: list[dict[str, Any]], profile: Profile) -> Built:
    root: Folder = {}
    for entry in entries:
        *parents, name = entry["path"].split("/")[1:]
        folder = root
        for parent in parents:
            folder = folder.setdefault(parent, {})
        if "link" in entry:
            folder[name] = builder.symlink(entry["link"], profile)[1]
        else:
            folder[name] = hashing.hash_bytes(pattern(entry["size"]), profile) if "size" in entry else {}
    return build_folder(root, profile)


def build_folder(folder: Folder, profile: Profile) -> Built:
    entries = ((name, build_folder(item, profile) if isinstance(item, dict) else item) for name, item in folder.items())
    return builder.directory(entries, profile)[1]


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("index", range(11))
def test_files_have_the_identity_that_the_reference_importer_gives_them(name: str, index: int) -> None:
    vector = REFERENCE["profiles"][name]["files"][index]
    built = hashing.hash_bytes(pattern(vector["size_bytes"]), PROFILES[name])
    assert {"size_bytes": built.size_bytes, **answer(built)} == vector


@pytest.mark.parametrize("name", PROFILES)
def test_directories_and_symbolic_links_have_the_identity_that_the_reference_importer_gives_them(name: str) -> None:
    vector, profile = REFERENCE["profiles"][name], PROFILES[name]
    wide = [{"path": f"root/entry {index}", "size": index} for index in range(1000)]
    assert answer(build_tree(REFERENCE["tree"], profile)) == vector["tree"]
    assert answer(build_tree(wide, profile)) == vector["wide"]
    assert answer(builder.directory([], profile)[1]) == vector["empty_directory"]
    assert answer(builder.symlink("sub/target – ü", profile)[1]) == vector["symlink"]


@pytest.mark.parametrize("shape", REFERENCE["shapes"], ids=lambda shape: f"{shape['chunk_bytes']}-{shape['width']}")
def test_trees_of_four_levels_have_the_shape_that_the_reference_importer_gives_them(shape: dict[str, Any]) -> None:
    profile = Profile("shape", shape["chunk_bytes"], shape["width"], shape["cid_version"], shape["raw_leaves"])
    for vector in shape["files"]:
        built = hashing.hash_bytes(pattern(vector["size_bytes"]), profile)
        assert {"size_bytes": built.size_bytes, **answer(built)} == vector


def test_kubos_own_small_vectors_hold() -> None:
    content = keystream("chunk-v1-seed", (1 << 20) + 1)
    assert (
        str(hashing.hash_bytes(b"hello world", DEFAULT).cid)
        == "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"
    )
    assert (
        str(hashing.hash_bytes(content[:-1], DEFAULT).cid)
        == "bafkreiacndfy443ter6qr2tmbbdhadvxxheowwf75s6zehscklu6ezxmta"
    )
    assert (
        str(hashing.hash_bytes(content, DEFAULT).cid) == "bafybeigmix7t42i6jacydtquhet7srwvgpizfg7gjbq7627d35mjomtu64"
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size_bytes", "cid"),
    [
        (1 << 30, "bafybeihmf37wcuvtx4hpu7he5zl5qaf2ineo2lqlfrapokkm5zzw7zyhvm"),
        ((1 << 30) + 1, "bafybeibdsi225ugbkmpbdohnxioyab6jsqrmkts3twhpvfnzp77xtzpyhe"),
    ],
)
def test_kubos_own_vectors_of_a_gibibyte_hold(size_bytes: int, cid: str) -> None:
    assert str(hashing.hash_bytes(keystream("v1-2025-seed", size_bytes), DEFAULT).cid) == cid


@settings(max_examples=50)
@given(st.integers(0, 300), st.integers(1, 9), st.integers(2, 5), st.booleans())
def test_every_inner_block_is_reported_and_leads_to_the_content(size: int, chunk: int, width: int, raw: bool) -> None:
    profile = Profile("small", chunk, width, 1 if raw else 0, raw)
    content = pattern(size)
    blocks: dict[CID, bytes] = {}
    for start in range(0, size or 1, chunk):
        leaf = content[start : start + chunk]
        blocks[builder.leaf_cid(builder.leaf_digest(leaf, profile), profile)] = builder.leaf_block(leaf, profile)
    built = hashing.hash_bytes(content, profile, blocks.__setitem__)
    for cid, block in blocks.items():
        cid.verify(block)
    assert read(built.cid, blocks) == content


def read(cid: CID, blocks: dict[CID, bytes]) -> bytes:
    if cid.codec == RAW:
        return blocks[cid]
    entry = unixfs.read(blocks[cid])
    return entry.unixfs.data + b"".join(read(link.cid, blocks) for link in entry.links)


def test_no_level_keeps_more_than_one_unfinished_node() -> None:
    profile = Profile("small", 1, 4, 1, True)
    tree = TreeBuilder(profile)
    for _ in range(5000):
        tree.leaf(bytes(32), 1)
        assert all(len(level) <= profile.width for level in tree._levels)
    assert len(tree._levels) <= 7
    assert tree.finish().size_bytes == 5000


def test_the_frame_of_a_leaf_surrounds_its_content() -> None:
    head, tail = builder.leaf_frame(300)
    leaf = dagpb.decode(head + bytes(300) + tail)
    assert leaf.data is not None
    assert unixfs.decode(leaf.data) == unixfs.Unixfs("file", bytes(300), file_size=300)


def test_a_leaf_larger_than_a_chunk_is_refused() -> None:
    with pytest.raises(Malformed):
        TreeBuilder(DEFAULT).leaf(bytes(32), DEFAULT.chunk_bytes + 1)
    with pytest.raises(Malformed):
        TreeBuilder(DEFAULT).leaf(bytes(31), 1)


def test_directories_refuse_names_that_lead_outside_or_repeat() -> None:
    leaf = hashing.hash_bytes(b"", DEFAULT)
    for names in (["a", "a"], [".."], ["a/b"], [""]):
        with pytest.raises(Malformed):
            builder.directory([(name, leaf) for name in names], DEFAULT)


def test_a_plain_directory_over_two_mebibytes_is_refused() -> None:
    leaf = Built(CID.of(b"", DAG_PB), 0, 0)
    with pytest.raises(Unsupported, match="build_directory"):
        builder.directory([(f"{index:0200}", leaf) for index in range(9000)], DEFAULT)


@pytest.mark.parametrize("target", ["", "a\0b", "\udc80"])
def test_a_symbolic_link_to_nothing_writable_is_refused(target: str) -> None:
    with pytest.raises(Malformed):
        builder.symlink(target, DEFAULT)
