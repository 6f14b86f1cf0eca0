"""What commands ask of an IPFS node beyond content, with answers as Kubo gives them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.errors import Invalid, MalformedContent, NotFound, UnsupportedContent, VerificationFailed
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

    (peer,) = nodes.routing.providers(CID_A, "lab", 20).peers

    assert (peer.id, peer.addresses) == (PEER, ["/ip4/127.0.0.1/tcp/9"])


def test_a_node_without_the_call_says_so(nodes: Nodes) -> None:
    with pytest.raises(UnsupportedContent, match="routing/findprovs") as raised:
        nodes.routing.providers(CID_A, "lab", 20)
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
        nodes.folders.copy(CID_A, "/kept", "lab")


@pytest.mark.parametrize("path", ["kept", "/a/../b", ""])
def test_what_is_no_path_of_a_node_is_refused(nodes: Nodes, path: str) -> None:
    with pytest.raises(Invalid, match="is no path"):
        nodes.folders.entry(path, "lab")


def test_the_root_of_a_node_is_not_removed(nodes: Nodes) -> None:
    with pytest.raises(Invalid, match="root"):
        nodes.folders.remove("//", "lab")


@pytest.mark.parametrize("address", [PEER, "/ip4/127.0.0.1/tcp/9"])
def test_what_names_no_node_is_not_connected_to(nodes: Nodes, address: str) -> None:
    with pytest.raises(Invalid, match="no address"):
        nodes.connect(address, "lab")


def event(kind: int, **more: object) -> str:
    return json.dumps({"Type": kind, "ID": "", "Extra": "", "Responses": None, **more}) + "\n"


def test_where_a_node_is_is_told(kubo: KuboAnswers, nodes: Nodes) -> None:
    found = event(2, Responses=[{"ID": PEER, "Addrs": ["/ip4/127.0.0.1/tcp/9"]}])
    kubo.calls["routing/findpeer"] = (200, event(0) + found)

    (peer,) = nodes.routing.peer(PEER, "lab").peers
    assert (peer.id, peer.addresses) == (PEER, ["/ip4/127.0.0.1/tcp/9"])
    kubo.calls["routing/findpeer"] = (200, event(3, Extra="routing: not found"))
    with pytest.raises(NotFound):
        nodes.routing.peer(PEER, "lab")
    with pytest.raises(Invalid, match="no peer id"):
        nodes.routing.peer("nobody", "lab")


def test_a_ping_tells_how_many_were_answered_and_how_soon(kubo: KuboAnswers, nodes: Nodes) -> None:
    said = [
        (True, 0, "PING"),
        (True, 2_000_000, ""),
        (False, 0, "no answer"),
        (True, 4_000_000, ""),
        (True, 0, "Average"),
    ]
    kubo.calls["ping"] = (200, "".join(json.dumps({"Success": a, "Time": b, "Text": c}) + "\n" for a, b, c in said))

    found = nodes.ping(PEER, "lab", 3)
    assert (found.sent, found.answered) == (3, 2)
    assert (found.least_ms, found.mean_ms, found.most_ms) == (2.0, 3.0, 4.0)


def test_damaged_blocks_at_a_node_are_named(kubo: KuboAnswers, nodes: Nodes) -> None:
    sound = "".join(json.dumps({"Msg": "", "Progress": number}) + "\n" for number in (1, 2))
    kubo.calls["repo/verify"] = (
        200,
        sound + json.dumps({"Msg": "verify complete, all blocks validated.", "Progress": 0}),
    )
    assert nodes.verify("lab").blocks == 2

    bad = json.dumps({"Msg": f"block {CID_A} was corrupt (hash mismatch)", "Progress": 0}) + "\n"
    ended = json.dumps({"Message": "verify complete, some blocks were corrupt", "Code": 0, "Type": "error"})
    kubo.calls["repo/verify"] = (200, sound + bad + ended)
    with pytest.raises(VerificationFailed, match="1 of 2 blocks") as raised:
        nodes.verify("lab")
    assert raised.value.errors[0]["pointer"] == CID_A


def test_a_busy_node_is_asked_again(kubo: KuboAnswers, nodes: Nodes) -> None:
    answers = [(503, "busy"), (503, "busy"), (200, '{"Peers":[]}')]
    kubo.calls["swarm/peers"] = lambda _: answers.pop(0)

    assert nodes.peers("lab").peers == []
    assert answers == []


@pytest.fixture
def record(nodes: Nodes, tmp_path: Path) -> tuple[str, Path]:
    """A name, and a file with its record."""
    with Node(tmp_path / "home") as node:
        (tmp_path / "site").write_text("hello")
        (stored,) = node.store.put([tmp_path / "site"])
        name = node.store.names.keys.new("site").name
        node.store.names.publish("site", stored.cid)
        node.store.names.files.export("site", tmp_path / "site.record")
    return name, tmp_path / "site.record"


def test_a_record_of_the_network_counts_once_its_name_has_signed_it(
    kubo: KuboAnswers, nodes: Nodes, record: tuple[str, Path], tmp_path: Path
) -> None:
    name, file = record
    kubo.calls["routing/get"] = (200, event(5, Extra=base64.b64encode(file.read_bytes()).decode()))

    found = nodes.routing.record(name, "lab", str(tmp_path / "back"))
    assert (found.name, found.sequence, found.value.startswith("/ipfs/")) == (name, 0, True)
    assert (tmp_path / "back").read_bytes() == file.read_bytes()
    assert nodes.routing.record("site", "lab").value == found.value
    with pytest.raises(VerificationFailed):
        nodes.routing.record(PEER, "lab")


def test_a_record_that_is_not_the_names_own_is_not_sent(
    kubo: KuboAnswers, nodes: Nodes, record: tuple[str, Path]
) -> None:
    name, file = record
    kubo.calls["routing/put"] = (200, event(0))

    assert nodes.routing.put(name, str(file), "lab").name == name
    sent = len(kubo.seen)
    with pytest.raises(VerificationFailed):
        nodes.routing.put(PEER, str(file), "lab")
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises((MalformedContent, VerificationFailed)):
        nodes.routing.put(name, str(file), "lab")
    assert len(kubo.seen) == sent
