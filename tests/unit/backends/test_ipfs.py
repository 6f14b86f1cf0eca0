"""What an IPFS node says that cannot be had from one here: Kubo's own words, and logins."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipfs_accel_cli.backends.base import Config
from ipfs_accel_cli.backends.ipfs.backend import IpfsBackend
from ipfs_accel_cli.content import car, dagcbor
from ipfs_accel_cli.content.cid import CID, DAG_CBOR, LIBP2P_KEY
from ipfs_accel_cli.content.multihash import IDENTITY, Multihash
from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import (
    AccelError,
    Conflict,
    DiskFull,
    Invalid,
    NotAuthorised,
    NotFound,
    RemoteFailed,
    TryAgain,
    Unavailable,
    UnsupportedContent,
    VerificationFailed,
)
from tests.servers.kubo_answers import KuboAnswers, kubo_answers

DATA = b"hello"
ROOT, OTHER = CID.of(DATA), CID.of(b"other")
NAME = CID(1, LIBP2P_KEY, Multihash(IDENTITY, b"\x08\x01\x12\x20" + bytes(32)))
SECRET = "s3cr3t-t0ken"


@pytest.fixture
def kubo() -> Iterator[KuboAnswers]:
    with kubo_answers() as server:
        yield server


def backend_at(url: str, secret: str = "", **options: str) -> IpfsBackend:
    return IpfsBackend(Config("mine", {"url": url, **options}, Path("/nowhere"), lambda: secret))


def failed(message: str, status: int = 500) -> tuple[int, str]:
    return status, json.dumps({"Message": message, "Code": 0, "Type": "error"})


def lines(*objects: object) -> tuple[int, str]:
    return 200, "".join(json.dumps(one) + "\n" for one in objects)


def rooted(cid: CID, error: str = "") -> dict[str, object]:
    return {"Root": {"Cid": {"/": str(cid)}, "PinErrorMsg": error}}


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("block was not found locally (offline): ipld: could not find bafk", NotFound),
        ('no link named "x" under bafy', NotFound),
        ("context deadline exceeded", TryAgain),
        ("write /blocks/X: no space left on device", DiskFull),
        ("directory already has entry by that name", Conflict),
        ("failed to find any peer in table", Unavailable),
        ("something else", RemoteFailed),
    ],
)
def test_what_went_wrong_is_read_from_the_words(kubo: KuboAnswers, message: str, kind: type[AccelError]) -> None:
    kubo.calls["cat"] = failed(message)
    with backend_at(kubo.url).node() as node, pytest.raises(kind, match="mine: cat: "):
        list(node.content.cat(str(ROOT)))


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (failed('argument "key" is required', 400), Invalid),
        ((403, "403 Forbidden"), NotAuthorised),
        ((502, "<html>bad gateway"), TryAgain),
        ((302, "http://127.0.0.1:9/elsewhere"), Unavailable),
        ((200, "<html>welcome"), Unavailable),
        ((200, "1\n2\n"), Unavailable),
    ],
)
def test_what_does_not_answer_as_a_node_is_told(
    kubo: KuboAnswers, answer: tuple[int, str], kind: type[AccelError]
) -> None:
    kubo.calls["block/stat"] = answer
    with backend_at(kubo.url).node() as node, pytest.raises(kind):
        node.content.block_size(ROOT)


@pytest.mark.parametrize("secret", [SECRET, f"me:{SECRET}"])
def test_a_login_goes_along_in_the_owners_calls_and_is_never_told(kubo: KuboAnswers, secret: str) -> None:
    login = f"Basic {base64.b64encode(secret.encode()).decode()}" if ":" in secret else f"Bearer {secret}"
    kubo.calls["cat"] = failed(f"no {login} and no {secret}", 403)
    backend = backend_at(kubo.url, secret)
    with backend.node() as node, pytest.raises(NotAuthorised) as raised:
        list(node.content.cat(str(ROOT)))

    assert kubo.seen[-1][2]["authorization"] == login
    assert SECRET not in str(raised.value) + repr(backend.__dict__)
    assert base64.b64encode(secret.encode()).decode() not in str(raised.value)
    assert raised.value.suggestion


def test_another_callers_call_reaches_no_node_of_this_machine(kubo: KuboAnswers) -> None:
    with using(Call(folders=())):
        with pytest.raises(NotAuthorised, match="public internet"):
            backend_at(kubo.url, SECRET).has([ROOT])
        assert backend_at(kubo.url, SECRET).health().reachable is None
    assert kubo.seen == []


def test_a_token_is_not_sent_without_encryption() -> None:
    with pytest.raises(Invalid, match="without encryption"):
        backend_at("http://node.example", SECRET).has([ROOT])


def test_a_login_that_is_refused_is_seen_in_its_health(kubo: KuboAnswers) -> None:
    kubo.calls["version"] = (403, "Kubo RPC Access Denied")
    with backend_at(kubo.url, SECRET).node() as node, pytest.raises(NotAuthorised) as raised:
        node.state.version()
    assert raised.value.suggestion

    health = backend_at(kubo.url, SECRET).health()
    assert (health.reachable, health.writable) == (True, False)
    kubo.calls["version"] = (200, '{"no": "version"}')
    assert backend_at(kubo.url).health().reachable is False


def test_a_node_that_only_reads_says_that_it_cannot_be_written(kubo: KuboAnswers) -> None:
    kubo.calls["id"] = lines({"ID": "12D3", "AgentVersion": "kubo/0.43.1/", "Addresses": None})
    sizes = {"NumObjects": 5, "RepoSize": 10, "StorageMax": 10, "Version": "fs-repo@16"}
    kubo.calls["repo/stat"] = lines(sizes)
    for call in ("dag/import", "pin/add", "pin/rm", "dag/export"):
        kubo.calls[call] = failed("argument is required", 400)
    full = backend_at(kubo.url).health()
    kubo.calls["repo/stat"] = lines(sizes | {"StorageMax": 11})
    roomy = backend_at(kubo.url).health()
    kubo.calls["pin/add"] = (403, "forbidden")
    refused = backend_at(kubo.url).health()

    assert [one.writable for one in (full, roomy, refused)] == [False, True, False]
    assert roomy.version == "0.43.1"
    assert "cat" in roomy.lacks
    assert "dag/export" not in roomy.lacks
    assert {"pin/add"} == set(refused.lacks) - set(roomy.lacks)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (lines(rooted(OTHER)), VerificationFailed),
        (lines(rooted(ROOT), rooted(OTHER)), VerificationFailed),
        (lines(rooted(ROOT, "merkledag: not found")), VerificationFailed),
        (lines({"Stats": {"BlockCount": 1}}), TryAgain),
        (lines(rooted(ROOT), {"Message": "unable to pin all roots", "Type": "error"}), RemoteFailed),
        ((200, ""), TryAgain),
    ],
)
def test_a_dag_that_is_not_pinned_as_what_it_is_was_not_brought(
    kubo: KuboAnswers, answer: tuple[int, str], kind: type[AccelError]
) -> None:
    kubo.calls["dag/import"] = answer
    with pytest.raises(kind):
        backend_at(kubo.url).put_dag(ROOT, [(ROOT, DATA)])


def test_kubo_is_believed_that_it_has_hashed_what_it_names(kubo: KuboAnswers) -> None:
    kubo.calls["dag/import"] = lines(rooted(ROOT), {"Stats": {"BlockCount": 1, "BlockBytesCount": 5}})

    assert backend_at(kubo.url).put_dag(ROOT, [(ROOT, DATA)]).proof == "cid"
    asked = {call: options for call, options, _ in kubo.seen}
    assert asked["dag/import"]["pin-roots"] == ["true"]
    assert "dag/export" not in asked


def test_what_kubo_keeps_is_asked_for_without_its_network_unless_wanted(kubo: KuboAnswers) -> None:
    kubo.calls["block/stat"] = failed("block was not found locally (offline)")
    kubo.calls["dag/export"] = (200, "")
    for fetch, asked in (("false", ["block/stat"]), ("true", ["dag/export"])):
        kubo.seen.clear()
        with pytest.raises((NotFound, TryAgain)):
            list(backend_at(kubo.url, fetch=fetch).get_dag(ROOT))
        calls = [(call, options) for call, options, _ in kubo.seen if call != "version"]
        assert [call for call, _ in calls] == asked
        assert calls[0][1].get("offline") == [str(fetch == "false").lower()]


def test_kubos_names_of_pins_are_kept_and_looked_for(kubo: KuboAnswers) -> None:
    kubo.calls["pin/add"] = lines({"Progress": 1, "Bytes": 5}, {"Pins": [str(ROOT)]})
    kubo.calls["swarm/connect"] = lines({"Strings": ["connect 12D3 success"]})
    kubo.calls["pin/ls"] = lines(
        {"Cid": str(ROOT), "Type": "recursive", "Name": "weights"}, {"Cid": str(OTHER), "Type": "recursive"}
    )
    backend = backend_at(kubo.url)
    pin = backend.pin(ROOT, "weights", ["/ip4/127.0.0.1/tcp/4001/p2p/12D3"])

    assert (pin.status, pin.name, pin.detail) == ("pinned", "weights", "")
    assert [one.cid for one in backend.pins()] == [ROOT, OTHER]
    assert [one.cid for one in backend.pins(name="weights")] == [ROOT]
    kubo.calls["pin/ls"] = lines({"Keys": {str(ROOT): {"Type": "recursive", "Name": "old"}}})
    assert [(one.cid, one.name) for one in backend.pins()] == [(ROOT, "old")]
    kubo.calls["pin/add"] = lines({"Pins": [str(OTHER)]})
    with pytest.raises(TryAgain):
        backend.pin(ROOT)


def test_records_go_by_todays_calls(kubo: KuboAnswers) -> None:
    record = bytes(range(200))
    peer = {"ID": "12D3", "Type": 3, "Extra": "one peer did not answer", "Responses": None}
    kubo.calls["routing/put"] = lines(peer)
    kubo.calls["routing/get"] = lines(peer, {"ID": "", "Type": 5, "Extra": base64.b64encode(record).decode()})
    backend = backend_at(kubo.url)
    backend.publish(NAME, record)

    assert kubo.seen[-1][1]["arg"] == [f"/ipns/{NAME.encode('base36')}"]
    assert backend.resolve(NAME) == record
    ended = {"ID": "", "Type": 3, "Extra": "routing: not found"}
    for call, work in (("put", lambda: backend.publish(NAME, record)), ("get", lambda: backend.resolve(NAME))):
        kubo.calls[f"routing/{call}"] = lines(peer, ended)
        with pytest.raises(NotFound):
            work()
    kubo.calls["routing/get"] = lines(peer)
    with pytest.raises(NotFound):
        backend.resolve(NAME)


def test_a_record_of_which_bytes_are_lost_is_no_record(kubo: KuboAnswers) -> None:
    for extra, kind in (("\ufffdjunk\x01", UnsupportedContent), ("", NotFound), ("A" * 20000, NotFound)):
        kubo.calls["dht/get"] = lines({"ID": "", "Type": 5, "Extra": extra})
        with pytest.raises(kind):
            backend_at(kubo.url).resolve(NAME)


def test_a_node_without_routing_is_named_with_both_calls_that_it_lacks(kubo: KuboAnswers) -> None:
    with pytest.raises(UnsupportedContent, match=r"0\.43\.1, has no call routing/get, and none dht/get"):
        backend_at(kubo.url).resolve(NAME)


def test_providers_come_once_each(kubo: KuboAnswers) -> None:
    one, two = {"ID": "12D3A", "Addrs": ["/ip4/192.0.2.1/tcp/1"]}, {"ID": "12D3B", "Addrs": None}
    kubo.calls["routing/findprovs"] = lines(
        {"Type": 4, "Responses": [one]}, {"Type": 1, "Responses": [two]}, {"Type": 4, "Responses": [one, two]}
    )
    with backend_at(kubo.url).node() as node:
        found = list(node.naming.providers(ROOT, most=3))
    assert [(peer.id, peer.addresses) for peer in found] == [("12D3A", ("/ip4/192.0.2.1/tcp/1",)), ("12D3B", ())]


def test_a_key_and_a_block_go_in_the_form_that_kubo_takes(kubo: KuboAnswers) -> None:
    kubo.calls["key/import"] = lines({"Name": "other", "Id": "k51"})
    kubo.calls["block/put"] = lines({"Key": str(ROOT), "Size": 5})
    with backend_at(kubo.url).node() as node:
        assert node.naming.import_key("other", b"bytes of a key").id == "k51"
        assert kubo.seen[-1][1]["format"] == ["libp2p-protobuf-cleartext"]
        node.content.put_block(ROOT, DATA)
        assert "format" not in kubo.seen[-1][1]
        assert kubo.seen[-1][1]["cid-codec"] == ["raw"]
        kubo.calls["block/put"] = lines({"Key": str(OTHER), "Size": 5})
        with pytest.raises(VerificationFailed):
            node.content.put_block(ROOT, DATA)


def test_a_dag_that_the_node_has_only_in_part_is_not_found(kubo: KuboAnswers) -> None:
    data = dagcbor.encode([ROOT, OTHER])
    parent = CID.of(data, DAG_CBOR)
    sent = io.BytesIO()
    car.write(sent, [parent], [(parent, data), (ROOT, DATA)])
    kubo.calls["dag/export"] = (200, sent.getvalue().decode("latin-1"))
    kept = {str(parent), str(ROOT)}
    size = lines({"Key": "", "Size": 5})
    kubo.calls["block/stat"] = lambda options: size if options["arg"][0] in kept else failed("not found")

    with pytest.raises(NotFound, match=f"only in part: {OTHER}"):
        list(backend_at(kubo.url).get_dag(parent))
    kept.add(str(OTHER))
    with pytest.raises(TryAgain, match=f"left out {OTHER}"):
        list(backend_at(kubo.url).get_dag(parent))


@pytest.mark.parametrize("answer", [(200, ""), (200, "<html>"), (200, "[]"), (200, "{}"), lines({"ID": 5})])
def test_an_answer_that_no_node_gives_is_no_defect_of_ours(kubo: KuboAnswers, answer: tuple[int, str]) -> None:
    for call in ("id", "repo/stat", "swarm/peers", "key/list", "name/resolve", "files/stat", "bitswap/stat"):
        kubo.calls[call] = answer
    with backend_at(kubo.url).node() as node:
        for work in (
            node.state.id,
            node.state.repo,
            node.state.exchange,
            lambda: node.naming.resolve("x"),
            lambda: node.folders.stat("/x"),
        ):
            with pytest.raises(Unavailable):
                work()
    assert backend_at(kubo.url).health().reachable is False


def test_neighbours_are_read_as_kubo_lists_them(kubo: KuboAnswers) -> None:
    kubo.calls["swarm/peers"] = lines({"Peers": [{"Addr": "/ip4/192.0.2.1/tcp/1", "Peer": "12D3A"}]})
    kubo.calls["swarm/addrs"] = lines({"Addrs": {"12D3B": ["/ip4/192.0.2.2/tcp/1"], "12D3A": None}})
    kubo.calls["bitswap/stat"] = lines(
        dict.fromkeys(("BlocksReceived", "BlocksSent", "DataReceived", "DataSent"), 3)
        | {"Peers": ["12D3A"], "Wantlist": [{"/": str(OTHER)}]}
    )
    kubo.calls["repo/gc"] = lines({"Key": {"/": str(ROOT)}}, {"Error": "", "Key": {"/": str(OTHER)}})
    with backend_at(kubo.url).node() as node:
        assert [(peer.id, peer.addresses) for peer in node.state.peers()] == [("12D3A", ("/ip4/192.0.2.1/tcp/1",))]
        assert [peer.id for peer in node.state.addresses()] == ["12D3A", "12D3B"]
        assert node.state.exchange().wanted == (OTHER,)
        assert list(node.state.collect()) == [ROOT, OTHER]
