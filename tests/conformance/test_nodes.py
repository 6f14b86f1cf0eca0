"""The commands about IPFS nodes, on a real one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.errors import Conflict, NotFound, UnsupportedContent
from ipfs_accel_cli.services.store.store import Store
from tests.servers.js_ipfs import JsIpfs


@pytest.fixture
def store(ipfs_node: JsIpfs, tmp_path: Path) -> Iterator[Store]:
    with Node(tmp_path / "home") as node:
        node.store.backends.add("lab", "ipfs", {"url": ipfs_node.url})
        yield node.store


def test_content_is_given_a_path_and_loses_it(store: Store, tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"one of nodes")
    (tmp_path / "two").write_bytes(b"two of nodes")
    (one, two) = store.put([tmp_path / "one", tmp_path / "two"], to=["lab:"])
    nodes = store.nodes

    assert nodes.folders.make("/nodes/below", "lab").kind == "directory"
    assert nodes.folders.copy(one.cid, "/nodes/one", "lab").cid == one.cid
    assert nodes.folders.copy(one.cid, "/nodes/one", "lab").cid == one.cid
    with pytest.raises(Conflict):
        nodes.folders.copy(two.cid, "/nodes/one", "lab")
    nodes.folders.copy("/nodes/one", "/nodes/below/again", "lab")
    assert {entry.name: entry.kind for entry in nodes.folders.entries("/nodes", "lab").entries} == {
        "below": "directory",
        "one": "file",
    }
    assert nodes.folders.entry("/nodes/below/again", "lab").cid == one.cid

    nodes.folders.remove("/nodes", "lab")
    nodes.folders.remove("/nodes", "lab")
    with pytest.raises(NotFound):
        nodes.folders.entry("/nodes", "lab")


def test_it_says_how_it_is(store: Store) -> None:
    stats = store.nodes.stats("lab")

    assert stats.size_bytes < stats.max_bytes
    assert stats.received_bytes == 0
    assert store.nodes.peers("lab").peers == []


def test_a_node_does_not_provide_what_it_does_not_have(store: Store) -> None:
    with pytest.raises(NotFound, match="dht/provide"):
        store.nodes.routing.provide("bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e", "lab")


def test_a_file_is_written_read_and_moved(store: Store, tmp_path: Path) -> None:
    data = bytes(range(256)) * 4096
    (tmp_path / "data").write_bytes(data)
    folders = store.nodes.folders
    try:
        made = folders.write("/written/here/data", str(tmp_path / "data"), "lab")
        assert (made.kind, made.size_bytes) == ("file", len(data))
        assert b"".join(folders.read("/written/here/data", "lab")) == data
        assert b"".join(folders.read("/written/here/data", "lab", 1000, 10)) == data[1000:1010]

        (tmp_path / "data").write_bytes(b"another")
        with pytest.raises(Conflict):
            folders.write("/written/here/data", str(tmp_path / "data"), "lab")
        folders.write("/written/here/data", str(tmp_path / "data"), "lab", replace=True)
        assert b"".join(folders.read("/written/here/data", "lab")) == b"another"
        assert [one.name for one in folders.entries("/written/here", "lab").entries] == ["data"]

        moved = folders.move("/written/here/data", "/written/data", "lab")
        assert moved.name == "data"
        assert folders.entries("/written/here", "lab").entries == []
        folders.copy(moved.cid, "/written/taken", "lab")
        with pytest.raises(Conflict):
            folders.move("/written/data", "/written/taken", "lab")
        with pytest.raises(NotFound):
            folders.move("/written/nothing", "/written/else", "lab")
        with pytest.raises(NotFound):
            folders.write("/written/none", str(tmp_path / "none"), "lab")
    finally:
        folders.remove("/written", "lab")


def test_what_the_node_lacks_is_named(store: Store) -> None:
    with pytest.raises(UnsupportedContent, match="repo/verify"):
        store.nodes.verify("lab")
