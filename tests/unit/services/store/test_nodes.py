"""What commands ask of an IPFS node beyond content, with answers as Kubo gives them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.errors import Invalid, NotFound, UnsupportedContent, VerificationFailed
from ipfs_accel_cli.services.store.nodes.service import Nodes
from tests.servers.kubo_answers import KuboAnswers, kubo_answers

CID_A = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"
CID_B = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"
PEER = "12D3KooWBxo29iJeT8AWAc1DBB4NP72DyBh8rKLhRqjPVbLbaEjQ"
ADDRESS = f"/ip4/127.0.0.1/tcp/9/p2p/{PEER}"


@pytest.fixture
def kubo() -> Iterator[KuboAnswers]:
    with kubo_answers() as server:
        yield server


@pytest.fixture
def nodes(kubo: KuboAnswers, tmp_path: Path) -> Iterator[Nodes]:
    with Node(tmp_path / "home") as node:
        node.store.backends.add("lab", "ipfs", {"url": kubo.url})
        (tmp_path / "cold").mkdir()
        node.store.backends.add("cold", "local", {"path": str(tmp_path / "cold")})
        yield node.store.nodes


def entry(cid: str, kind: str = "file") -> str:
    return json.dumps({"Hash": cid, "Size": 11, "CumulativeSize": 11, "Blocks": 0, "Type": kind})


def test_providers_are_told_once_each_with_their_addresses(kubo: KuboAnswers, nodes: Nodes) -> None:
    told = {"Type": 4, "ID": "", "Extra": "", "Responses": [{"ID": PEER, "Addrs": ["/ip4/127.0.0.1/tcp/9"]}]}
    kubo.calls["routing/findprovs"] = (200, f"{json.dumps(told)}\n" * 2)

    (peer,) = nodes.providers(CID_A, "lab", 20).peers

    assert (peer.id, peer.addresses) == (PEER, ["/ip4/127.0.0.1/tcp/9"])


def test_a_node_without_the_call_says_so(nodes: Nodes) -> None:
    with pytest.raises(UnsupportedContent, match="routing/findprovs") as raised:
        nodes.providers(CID_A, "lab", 20)
    assert raised.value.suggestion == "ipfs-accel store backend test lab"


def test_a_backend_that_is_no_node_is_refused_with_those_that_are(nodes: Nodes) -> None:
    with pytest.raises(
        UnsupportedContent, match="cold is of kind local and no IPFS node; of the backends here, lab can"
    ):
        nodes.stats("cold")
    with pytest.raises(NotFound, match="nowhere"):
        nodes.stats("nowhere")


def test_connections_are_made_and_closed(kubo: KuboAnswers, nodes: Nodes) -> None:
    kubo.calls["swarm/connect"] = kubo.calls["swarm/disconnect"] = (200, '{"Strings":["success"]}')

    assert nodes.connect(ADDRESS, "lab").connected
    assert not nodes.disconnect(ADDRESS, "lab").connected
    assert [(call, options["arg"]) for call, options, _ in kubo.seen if call.startswith("swarm")] == [
        ("swarm/connect", [ADDRESS]),
        ("swarm/disconnect", [ADDRESS]),
    ]


def test_content_at_another_path_than_asked_for_is_no_success(kubo: KuboAnswers, nodes: Nodes) -> None:
    answers = [(500, '{"Message":"file does not exist","Code":0,"Type":"error"}'), (200, entry(CID_B))]
    kubo.calls["files/stat"] = lambda _: answers.pop(0)
    kubo.calls["files/cp"] = (200, "")

    with pytest.raises(VerificationFailed, match=CID_B):
        nodes.copy(CID_A, "/kept", "lab")


@pytest.mark.parametrize("path", ["kept", "/a/../b", ""])
def test_what_is_no_path_of_a_node_is_refused(nodes: Nodes, path: str) -> None:
    with pytest.raises(Invalid, match="is no path"):
        nodes.entry(path, "lab")


def test_the_root_of_a_node_is_not_removed(nodes: Nodes) -> None:
    with pytest.raises(Invalid, match="root"):
        nodes.remove("//", "lab")


@pytest.mark.parametrize("address", [PEER, "/ip4/127.0.0.1/tcp/9"])
def test_what_names_no_node_is_not_connected_to(nodes: Nodes, address: str) -> None:
    with pytest.raises(Invalid, match="no address"):
        nodes.connect(address, "lab")
