"""Reading by reference: any range, any path, any kind of DAG."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.content import dagcbor, dagpb
from ipfs_accel_cli.content.builder import leaf_block
from ipfs_accel_cli.content.cid import CID, DAG_CBOR, DAG_PB, RAW
from ipfs_accel_cli.content.errors import Malformed
from ipfs_accel_cli.content.hashing import hash_bytes
from ipfs_accel_cli.content.multihash import Multihash
from ipfs_accel_cli.content.profiles import PROFILES
from ipfs_accel_cli.content.unixfs import Unixfs, encode
from ipfs_accel_cli.core.errors import HomeUnusable, Invalid, NotFound, VerificationFailed
from ipfs_accel_cli.services.store import Root, Store
from tests.rights import protect, without_rights
from tests.unit.services.store.content import MIB, flip, pattern

Make = Callable[[str, bytes], Path]
RANGES = [(0, None), (0, 0), (5, 10), (MIB - 1, 2), (MIB, 1), (2 * MIB, 6), (2 * MIB + 5, 3), (1, 2 * MIB)]


def blocks_only(store: Store, tree: Path, profile: str) -> CID:
    """A file of several leaves whose blocks are all kept singly, as those of a foreign DAG are."""
    used = PROFILES[profile]
    data = tree.read_bytes()
    with store.session() as session:
        built = hash_bytes(data, used, session.block)
        for start in range(0, len(data), used.chunk_bytes):
            block = leaf_block(data[start : start + used.chunk_bytes], used)
            session.block(CID.of(block, RAW if used.raw_leaves else DAG_PB), block)
        session.commit([Root(built.cid, "store", "foreign", "file")])
    return built.cid


@pytest.mark.parametrize("span", RANGES)
@pytest.mark.parametrize("profile", PROFILES)
def test_any_range_of_a_file_is_read_alike_from_an_object_and_from_blocks(
    store: Store, make: Make, profile: str, span: tuple[int, int | None]
) -> None:
    data = pattern(2 * MIB + 5)
    offset, length = span
    expected = data[offset:] if length is None else data[offset : offset + length]
    foreign = blocks_only(store, make("file", data), profile)
    blob = store.open(foreign, offset, length)
    assert (blob.size_bytes, blob.offset, b"".join(blob)) == (len(expected), offset, expected)
    list(store.put([make("file", data)], profile))
    blob = store.open(foreign, offset, length)
    assert (blob.size_bytes, b"".join(blob)) == (len(expected), expected)


@pytest.mark.parametrize("form", ["{}/deep/er/copy.bin", "/ipfs/{}/deep/er/copy.bin", "ipfs://{}/deep/er/copy.bin"])
def test_every_way_to_write_a_reference_names_the_same(store: Store, tree: Path, form: str) -> None:
    (stored,) = store.put([tree])
    assert b"".join(store.open(form.format(stored.cid))) == (tree / "weights.bin").read_bytes()


def test_an_escaped_name_in_a_url_is_read(store: Store, tree: Path) -> None:
    (stored,) = store.put([tree])
    assert b"".join(store.open(f"ipfs://{stored.cid}/na%C3%AFve%20%E2%98%83.txt")) == b"hello world"


@pytest.mark.parametrize("text", ["", "hello", "Qm", "bafy", "/etc/passwd", "zzz/../x", "0" * 600, "bafkrei\x00"])
def test_what_is_no_cid_is_invalid(store: Store, text: str) -> None:
    with pytest.raises(Invalid, match="not a CID"):
        store.open(text)


def test_a_cid_that_is_not_here_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound) as caught:
        store.open(CID.of(b"somewhere else"))
    assert caught.value.suggestion == "ipfs-accel store ls"


def test_a_wrong_name_is_not_found_and_the_near_one_is_shown(store: Store, tree: Path) -> None:
    (stored,) = store.put([tree])
    with pytest.raises(NotFound, match=r"there is 'weights\.bin'"):
        store.open(f"{stored.cid}/weight.bin")
    with pytest.raises(NotFound, match="is a file"):
        store.open(f"{stored.cid}/weights.bin/below")


def test_links_are_not_followed(store: Store, tree: Path) -> None:
    (stored,) = store.put([tree])
    with pytest.raises(Invalid, match="is a symlink"):
        store.open(f"{stored.cid}/deep/link")


def test_a_directory_has_no_bytes_of_its_own(store: Store, tree: Path) -> None:
    (stored,) = store.put([tree])
    with pytest.raises(Invalid, match="is a directory") as caught:
        store.open(stored.cid)
    assert caught.value.suggestion == f"ipfs-accel store ls {stored.cid}"


def test_an_offset_beyond_the_end_is_invalid(store: Store, make: Make) -> None:
    (stored,) = store.put([make("file", b"12345")])
    with pytest.raises(Invalid, match="beyond the end"):
        store.open(stored.cid, 6)


def test_both_versions_of_a_cid_name_the_same(store: Store, make: Make) -> None:
    (stored,) = store.put([make("file", pattern(300_000))], "unixfs-v0-2015")
    newer = str(CID.parse(stored.cid).to_v1())
    assert b"".join(store.open(newer)) == pattern(300_000)
    assert store.stat(newer).kept_by == ["store:file"]
    store.remove([newer])


def test_every_block_of_a_whole_file_can_be_had(store: Store, make: Make) -> None:
    data = pattern(600_000)
    (stored,) = store.put([make("file", data)], "unixfs-v0-2015")
    node = dagpb.decode(store.block(CID.parse(stored.cid)))
    leaves = [store.block(link.cid) for link in node.links]
    assert all(link.cid == CID.of(leaf, DAG_PB, 0) for link, leaf in zip(node.links, leaves, strict=True))
    assert store.stat(stored.cid).blocks == 4


def test_a_block_in_two_objects_is_read_from_the_sound_one(store: Store, make: Make, home: Path) -> None:
    data = pattern(MIB)
    (one,) = store.put([make("one", data + b"1")])
    (two,) = store.put([make("two", data + b"2")])
    flip(store.object_path(CID.parse(one.cid)), 7)
    assert store.block(CID.of(data)) == data
    flip(store.object_path(CID.parse(two.cid)), 7)
    with pytest.raises(VerificationFailed):
        store.block(CID.of(data))


def test_a_block_that_carries_itself_is_always_here(store: Store) -> None:
    cid = CID(1, RAW, Multihash(0, b"tiny"))
    assert store.has(cid)
    assert b"".join(store.open(cid)) == b"tiny"


def test_a_document_is_read_as_its_bytes(store: Store) -> None:
    data = dagcbor.encode({"a": 1})
    cid = CID.of(data, DAG_CBOR)
    with store.session() as session:
        session.block(cid, data)
        session.commit([Root(cid, "store", "document", "block")])
    assert b"".join(store.open(cid)) == data
    assert store.stat(cid).kind == "block"


def test_a_file_whose_sizes_lie_is_refused_while_it_is_read(store: Store) -> None:
    leaf = b"12345"
    message = Unixfs("file", file_size=9, block_sizes=(9,))
    block = dagpb.encode(dagpb.Node((dagpb.Link(CID.of(leaf), "", 5),), encode(message)))
    cid = CID.of(block, DAG_PB)
    with store.session() as session:
        session.block(CID.of(leaf), leaf)
        session.block(cid, block)
        session.commit([Root(cid, "store", "liar", "file")])
    with pytest.raises(Malformed):
        list(store.open(cid))


def test_a_file_that_names_one_leaf_over_and_over_is_read_in_constant_memory(store: Store) -> None:
    """Forty levels of two equal links: a terabyte from a leaf of one byte."""
    with store.session() as session:
        cid, size_bytes = CID.of(b"x"), 1
        session.block(cid, b"x")
        for _ in range(40):
            message = Unixfs("file", file_size=size_bytes * 2, block_sizes=(size_bytes, size_bytes))
            link = dagpb.Link(cid, "", size_bytes)
            block = dagpb.encode(dagpb.Node((link, link), encode(message)))
            cid, size_bytes = CID.of(block, DAG_PB), size_bytes * 2
            session.block(cid, block)
        session.commit([Root(cid, "store", "endless", "file")])
    assert store.stat(cid).size_bytes == 1 << 40
    assert store.stat(cid).blocks == 41
    assert b"".join(store.open(cid, (1 << 40) - 3)) == b"xxx"
    assert store.gc().objects == 0
    assert store.verify([cid]).blocks == 41


def test_an_object_that_became_shorter_is_told_apart_from_a_short_file(store: Store, make: Make) -> None:
    (stored,) = store.put([make("file", b"12345")])
    path = store.object_path(CID.parse(stored.cid))
    path.chmod(0o600)
    path.write_bytes(b"123")
    with pytest.raises(VerificationFailed, match="3 bytes instead of 5"):
        store.open(stored.cid)


def test_a_read_only_home_can_be_read(tmp_path: Path, make: Make) -> None:
    data = pattern(MIB + 1)
    source = make("file", data)
    home = Path(tempfile.mkdtemp())
    try:
        with Node(home) as node:
            (stored,) = node.store.put([source])
            everything(node.store, stored.cid, data)
        protect(home)

        def read_as_a_stranger() -> None:
            with Node(home) as node:
                everything(node.store, stored.cid, data)
                with pytest.raises(HomeUnusable):
                    list(node.store.put([__file__]))

        assert without_rights(read_as_a_stranger) == 0
    finally:
        shutil.rmtree(home)


def everything(store: Store, cid: str, data: bytes) -> None:
    """Each way to look at a store that changes nothing."""
    assert b"".join(store.open(cid)) == data
    assert [entry.cid for entry in store.ls().entries] == [cid]
    assert store.stat(cid).whole_file
    assert store.verify().objects == 1
    assert store.gc(dry_run=True).objects == 0
    assert store.check() == []


def test_the_roots_are_listed_with_who_keeps_them(store: Store, tree: Path) -> None:
    (stored,) = store.put([tree])
    (entry,) = store.ls().entries
    assert (entry.cid, entry.name, entry.kind, entry.owner) == (stored.cid, "tree", "directory", "store")
    kinds = {entry.name: entry.kind for entry in store.ls(f"{stored.cid}/deep").entries}
    assert kinds == {"empty": "file", "er": "directory", "link": "symlink"}


def test_stat_counts_what_is_here_and_what_is_not(store: Store, make: Make) -> None:
    absent = CID.of(b"absent")
    document = dagcbor.encode([absent, CID.of(b"here")])
    cid = CID.of(document, DAG_CBOR)
    with store.session() as session:
        session.block(cid, document)
        session.block(CID.of(b"here"), b"here")
        session.commit([Root(cid, "store", "partial", "partial")])
    stat = store.stat(cid)
    assert (stat.blocks, stat.missing_blocks, stat.whole_file) == (2, 1, False)
    assert store.check() == []


def test_inspect_takes_a_cid_apart(store: Store) -> None:
    inner = CID.of(b"", DAG_PB, 0)
    taken = store.inspect(str(inner))
    assert (taken.version, taken.base, taken.codec, taken.hash) == (0, "base58btc", "dag-pb", "sha2-256")
    assert (taken.v0, taken.v1) == (str(inner), str(inner.to_v1()))
    other = store.inspect(CID.of(b"").encode("base36"))
    assert (other.base, other.v0, other.digest_bytes) == ("base36", None, 32)
