"""Every call of an IPFS node that we make, on a real one."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipfs_accel_cli.backends.base import Config
from ipfs_accel_cli.backends.ipfs.backend import IpfsBackend, Node
from ipfs_accel_cli.backends.ipfs.sending import Form
from ipfs_accel_cli.content import dagcbor, hashing, multibase
from ipfs_accel_cli.content.builder import TreeBuilder, leaf_digest
from ipfs_accel_cli.content.cid import CID, DAG_CBOR, DAG_PB, RAW
from ipfs_accel_cli.content.multihash import IDENTITY, Multihash
from ipfs_accel_cli.content.profiles import profile
from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import (
    Cancelled,
    Conflict,
    Invalid,
    NotFound,
    RemoteFailed,
    TryAgain,
    Unavailable,
    UnsupportedContent,
    VerificationFailed,
)
from tests.conformance.dags_suite import PROFILE, TREE, UNKNOWN, Tree
from tests.servers.faulty_proxy import faulty_proxy
from tests.servers.js_ipfs import JsIpfs

ROOT = TREE.root.cid
NOBODY = "/ip4/127.0.0.1/tcp/9/p2p/12D3KooWBxo29iJeT8AWAc1DBB4NP72DyBh8rKLhRqjPVbLbaEjQ"
LEGACY = profile("legacy-cid-v1")


def backend_at(url: str, **options: str) -> IpfsBackend:
    return IpfsBackend(Config("mine", {"url": url, **options}, Path("/nowhere")))


@pytest.fixture
def backend(ipfs_node: JsIpfs) -> IpfsBackend:
    return backend_at(ipfs_node.url)


@pytest.fixture
def node(backend: IpfsBackend) -> Iterator[Node]:
    with backend.node() as node:
        yield node


@pytest.fixture
def brought(backend: IpfsBackend) -> IpfsBackend:
    backend.put_dag(ROOT, TREE.walk())
    return backend


def test_it_says_what_runs_there_and_what_it_lacks(backend: IpfsBackend, node: Node) -> None:
    health = backend.health()

    assert (health.reachable, health.writable, health.version) == (True, True, "0.18.1")
    assert node.state.id().id in health.detail
    assert health.lacks == ("key/export", "routing/findprovs", "routing/provide", "routing/get", "routing/put")
    assert not node.state.version().checks_blocks


def test_it_says_how_much_it_keeps_and_what_went_over_the_network(brought: IpfsBackend) -> None:
    with brought.node() as node:
        repo = node.state.repo()
        assert repo.blocks >= len(TREE.blocks)
        assert repo.size_bytes > len(TREE.files["weights.bin"])
        assert node.state.traffic().received_bytes == 0
        assert TREE.blocks.keys().isdisjoint(node.state.exchange().wanted)
        assert (node.state.peers(), node.state.addresses()) == ((), ())
        with pytest.raises(RemoteFailed, match="dial"):
            node.state.connect(NOBODY)


@pytest.mark.parametrize("codec", [RAW, DAG_CBOR, DAG_PB])
def test_a_block_comes_and_goes(node: Node, codec: int) -> None:
    data = {RAW: b"abc", DAG_CBOR: b"\xa1aa\x01", DAG_PB: TREE.blocks[ROOT]}[codec]
    cid = CID.of(data, codec)
    node.content.put_block(cid, data)

    assert node.content.block(cid) == data
    assert node.content.block_size(cid) == len(data)
    assert node.content.has([cid, UNKNOWN]) == {cid}
    with pytest.raises(VerificationFailed):
        node.content.put_block(cid, b"others")


def test_a_block_that_it_does_not_have_is_not_found(backend: IpfsBackend) -> None:
    with pytest.raises(NotFound, match=str(UNKNOWN)):
        list(backend.get_dag(UNKNOWN, scope="block"))


def test_what_no_pin_holds_is_collected(backend: IpfsBackend, node: Node) -> None:
    data = os.urandom(100)
    node.content.put_block(CID.of(data), data)

    assert CID.of(data).multihash in {cid.multihash for cid in node.state.collect()}
    assert backend.has([CID.of(data)]) == set()


def test_a_file_is_read_in_part(brought: IpfsBackend) -> None:
    data = TREE.files["weights.bin"]
    with brought.node() as node:
        assert b"".join(node.content.cat(f"{ROOT}/weights.bin", 100, 2_000_000)) == data[100:2_000_100]
        assert b"".join(node.content.cat(f"{ROOT}/weights.bin", len(data) - 5)) == data[-5:]
        with pytest.raises(NotFound):
            list(node.content.cat(f"{ROOT}/nothing"))


def test_what_the_node_adds_has_the_name_that_we_give_it(node: Node) -> None:
    for size in (0, 1, LEGACY.chunk_bytes, LEGACY.chunk_bytes + 1, 3_000_000):
        data = os.urandom(size)
        options = {"cid_version": 1, "raw_leaves": True, "chunker": f"size-{LEGACY.chunk_bytes}"}
        told = node.line.ask("add", content=Form.of([data]), pin=False, cid_base="base32", **options)
        assert told["Hash"] == str(hashing.hash_bytes(data, LEGACY, lambda *_: None).cid)


def test_the_part_of_a_dag_that_a_path_names_comes_with_what_proves_it(brought: IpfsBackend) -> None:
    whole = list(brought.get_dag(ROOT, "weights.bin"))
    assert [block.cid for block in whole[:1]] == [ROOT]
    assert {block.cid for block in whole} == set(TREE.blocks) - {CID.of(TREE.files["config.json"])}
    assert len(list(brought.get_dag(ROOT, "config.json", "entity"))) == 2
    assert [block.cid for block in brought.get_dag(ROOT, "weights.bin", "entity", (-5, None))][-1] == CID.of(
        TREE.files["weights.bin"][-(len(TREE.files["weights.bin"]) % PROFILE.chunk_bytes) :]
    )
    with pytest.raises(NotFound, match="nothing"):
        list(brought.get_dag(ROOT, "nothing"))


def test_a_document_is_walked_by_its_keys(backend: IpfsBackend) -> None:
    leaf, other = b"leaf", b"other"
    inside = CID(1, RAW, Multihash(IDENTITY, b"in the name"))
    data = dagcbor.encode({"a": {"b": CID.of(leaf)}, "c": CID.of(other), "d": inside})
    document = CID.of(data, DAG_CBOR)
    backend.put_dag(document, [(document, data), (CID.of(leaf), leaf), (CID.of(other), other)])

    assert [block.data for block in backend.get_dag(document, "a")] == [data, leaf]
    assert [block.data for block in backend.get_dag(document)] == [data, leaf, other]
    assert list(backend.get_dag(inside)) == []
    around = dagcbor.encode([CID.of(leaf)])
    assert [one.data for one in backend.get_dag(CID(1, DAG_CBOR, Multihash(IDENTITY, around)))] == [leaf]
    assert backend.has([inside]) == {inside}


def test_a_dag_that_is_false_or_not_whole_is_not_brought(backend: IpfsBackend) -> None:
    tree = Tree({"a": os.urandom(3 << 20)})
    blocks = list(tree.walk())
    for wrong in ([*blocks[:-1], (blocks[-1][0], b"false")], blocks[:-1], blocks[1:]):
        with pytest.raises(VerificationFailed):
            backend.put_dag(tree.root.cid, wrong)
        assert tree.root.cid not in set(backend.dags())
    receipt = backend.put_dag(tree.root.cid, reversed(blocks))
    assert (receipt.locator, receipt.proof) == (str(tree.root.cid), "cid")
    assert receipt.size_bytes == sum(len(data) for _, data in blocks)


def test_a_node_that_gives_other_bytes_back_does_not_keep_them(ipfs_node: JsIpfs, backend: IpfsBackend) -> None:
    tree = Tree({"a": os.urandom(1 << 20)})
    with faulty_proxy("127.0.0.1", ipfs_node.port) as proxy, proxy.spoiling(), pytest.raises(VerificationFailed):
        backend_at(proxy.url).put_dag(tree.root.cid, tree.walk())
    assert tree.root.cid not in set(backend.dags())


def test_a_put_that_is_given_up_pins_nothing(backend: IpfsBackend) -> None:
    tree, call = Tree({"a": os.urandom(3 << 20)}), Call()

    def until_stopped() -> Iterator[tuple[CID, bytes]]:
        for number, block in enumerate(tree.walk()):
            if number == 2:
                call.stopped.set()
            yield block

    with using(call), pytest.raises(Cancelled):
        backend.put_dag(tree.root.cid, until_stopped())
    assert tree.root.cid not in set(backend.dags())


def test_a_pin_says_whom_it_did_not_reach_and_what_is_not_kept(brought: IpfsBackend) -> None:
    brought.unpin(ROOT)
    assert list(brought.pins(ROOT)) == []
    for _ in range(2):
        pin = brought.pin(ROOT, "weights", [NOBODY])
        assert (pin.cid, pin.status) == (ROOT, "pinned")
        assert NOBODY in pin.detail
        assert "no name" in pin.detail
    assert [found.cid for found in brought.pins(ROOT, status="pinned")] == [ROOT]
    assert [found.cid for found in brought.pins()].count(ROOT) == 1
    assert list(brought.pins(ROOT, status="queued")) == list(brought.pins(ROOT, name="weights")) == []
    for _ in range(2):
        brought.unpin(ROOT)
    assert list(brought.pins(UNKNOWN)) == []


def test_it_signs_with_its_own_keys_and_others_read_the_record(brought: IpfsBackend) -> None:
    with brought.node() as node:
        key = node.naming.make_key("for-a-test")
        try:
            assert {key} < set(node.naming.keys())
            assert node.naming.publish(f"/ipfs/{ROOT}", key.name) == (key.id, f"/ipfs/{ROOT}")
            name = CID.parse(b"\x01\x72" + multibase.decode_base58(key.id))
            for text in (key.id, name.encode("base36"), f"/ipns/{name}"):
                assert node.naming.resolve(text) == f"/ipfs/{ROOT}"
            record = brought.resolve(name)
            assert str(ROOT).encode() in record
            brought.publish(name, record)
            assert brought.resolve(name) == record
        finally:
            node.naming.remove_key(key.name)
        with pytest.raises(NotFound):
            node.naming.remove_key(key.name)
        with pytest.raises(Unavailable, match="No peers"):
            brought.resolve(CID.parse(b"\x01\x72\x00\x24\x08\x01\x12\x20" + os.urandom(32)))


def test_a_call_that_it_lacks_is_named_with_its_version(node: Node) -> None:
    with pytest.raises(UnsupportedContent, match=r"0\.18\.1, has no call key/export"):
        node.naming.export_key("self")
    with pytest.raises(UnsupportedContent, match="in the address"):
        node.naming.import_key("other", b"secret")
    with pytest.raises(UnsupportedContent, match="has no call nonsense"):
        node.line.ask("nonsense")


def test_providers_are_asked_for_by_the_older_name(brought: IpfsBackend) -> None:
    with brought.node() as node:
        assert [peer.id for peer in node.naming.providers(ROOT)] == [node.state.id().id]
        with pytest.raises(Unavailable, match="no peers"):
            node.naming.provide(ROOT)


def test_mutable_paths_are_made_read_and_removed(brought: IpfsBackend) -> None:
    with brought.node() as node:
        folders = node.folders
        folders.remove("/test")
        folders.make("/test/deep")
        folders.make("/test/deep")
        for _ in range(2):
            folders.copy(ROOT, "/test/model")
        with pytest.raises(Conflict):
            folders.copy(ROOT, "/test/deep")
        with pytest.raises(NotFound):
            folders.copy("/test/nothing", "/test/copy")
        assert [(one.name, one.kind) for one in folders.list("/test")] == [
            ("deep", "directory"),
            ("model", "directory"),
        ]
        assert folders.stat("/test/model").cid == ROOT
        assert {one.name: one.size_bytes for one in folders.list("/test/model")} == {
            name: len(data) for name, data in TREE.files.items()
        }
        folders.write("/test/deep/er/file", [b"hello", b" world"])
        folders.write("/test/deep/er/file", [b"W"], offset=6, truncate=False)
        assert b"".join(folders.read("/test/deep/er/file")) == b"hello World"
        assert b"".join(folders.read("/test/deep/er/file", 4, 3)) == b"o W"
        for _ in range(2):
            folders.remove("/test")
        for ask in (folders.stat, folders.list, lambda path: list(folders.read(path))):
            with pytest.raises(NotFound):
                ask("/test")


def test_memory_stays_small_however_large_the_dag_is(backend: IpfsBackend) -> None:
    chunk, blocks = 1 << 20, 64
    seed = os.urandom(chunk)
    inner: dict[CID, bytes] = {}

    def leaf(number: int) -> bytes:
        return number.to_bytes(8, "big") + seed[8:]

    tree = TreeBuilder(PROFILE, inner.__setitem__)
    for number in range(blocks):
        tree.leaf(leaf_digest(leaf(number), PROFILE), chunk)
    root = tree.finish().cid

    def walk() -> Iterator[tuple[CID, bytes]]:
        yield from inner.items()
        yield from ((CID.of(data), data) for data in map(leaf, range(blocks)))

    tracemalloc.start()
    try:
        backend.put_dag(root, walk())
        got = sum(len(block.data) for block in backend.get_dag(root) if block.cid.codec == RAW)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        backend.remove_dag(root)
    assert got == blocks * chunk
    assert peak < 24 << 20


def test_a_connection_that_breaks_while_sending_pins_nothing(ipfs_node: JsIpfs) -> None:
    tree = Tree({"a": os.urandom(5 << 20)})
    with faulty_proxy("127.0.0.1", ipfs_node.port) as proxy:
        with proxy.with_(cut_uploads_after=2 << 20), pytest.raises((TryAgain, Unavailable)):
            backend_at(proxy.url).put_dag(tree.root.cid, tree.walk())
        assert tree.root.cid not in set(backend_at(proxy.url).dags())
        assert backend_at(proxy.url).put_dag(tree.root.cid, tree.walk()).locator == str(tree.root.cid)


def test_a_node_that_is_killed_while_it_imports_has_all_after_a_second_try(
    ipfs_node: JsIpfs, backend: IpfsBackend
) -> None:
    tree = Tree({"a": os.urandom(6 << 20), "b": os.urandom(1000)})

    def until_killed() -> Iterator[tuple[CID, bytes]]:
        for number, block in enumerate(tree.walk()):
            if number == 4:
                ipfs_node.kill()
            yield block

    try:
        with pytest.raises((TryAgain, Unavailable)):
            backend.put_dag(tree.root.cid, until_killed())
        with pytest.raises(Unavailable) as raised:
            backend.put_dag(tree.root.cid, tree.walk())
        assert ipfs_node.url in (raised.value.suggestion or "")
        assert backend.health().reachable is False
    finally:
        ipfs_node.start()
    assert tree.root.cid not in set(backend.dags())
    backend.put_dag(tree.root.cid, tree.walk())
    assert {block.cid for block in backend.get_dag(tree.root.cid)} == set(tree.blocks)


@pytest.mark.parametrize("options", [{"url": "ftp://here"}, {"url": "http://me:secret@here"}, {"fetch": "perhaps"}])
def test_options_that_make_no_sense_are_refused_without_repeating_a_login(options: dict[str, str]) -> None:
    with pytest.raises(Invalid) as raised:
        IpfsBackend(Config("mine", options, Path("/nowhere")))
    assert "secret" not in str(raised.value)
