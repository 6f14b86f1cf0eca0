"""The commands about IPFS nodes, on a real one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.errors import Conflict, NotFound
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

    assert nodes.make("/nodes/below", "lab").kind == "directory"
    assert nodes.copy(one.cid, "/nodes/one", "lab").cid == one.cid
    assert nodes.copy(one.cid, "/nodes/one", "lab").cid == one.cid
    with pytest.raises(Conflict):
        nodes.copy(two.cid, "/nodes/one", "lab")
    nodes.copy("/nodes/one", "/nodes/below/again", "lab")
    assert {entry.name: entry.kind for entry in nodes.entries("/nodes", "lab").entries} == {
        "below": "directory",
        "one": "file",
    }
    assert nodes.entry("/nodes/below/again", "lab").cid == one.cid

    nodes.remove("/nodes", "lab")
    nodes.remove("/nodes", "lab")
    with pytest.raises(NotFound):
        nodes.entry("/nodes", "lab")


def test_it_says_how_it_is(store: Store) -> None:
    stats = store.nodes.stats("lab")

    assert stats.size_bytes < stats.max_bytes
    assert stats.received_bytes == 0
    assert store.nodes.peers("lab").peers == []


def test_a_node_does_not_provide_what_it_does_not_have(store: Store) -> None:
    with pytest.raises(NotFound, match="dht/provide"):
        store.nodes.provide("bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e", "lab")
