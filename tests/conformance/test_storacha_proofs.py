"""Who may do what at Storacha: keys, delegations, clocks, and what the JavaScript client makes of ours."""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipfs_accel_cli.backends.registry import checked
from ipfs_accel_cli.backends.storacha import login as logins
from ipfs_accel_cli.backends.storacha.login import Login
from ipfs_accel_cli.backends.storacha.service import Service
from ipfs_accel_cli.content import delegation, principal, ucan
from ipfs_accel_cli.content.delegation import Delegation
from ipfs_accel_cli.content.ucan import Capability
from ipfs_accel_cli.core import retry
from ipfs_accel_cli.core.errors import (
    Invalid,
    NotAuthorised,
)
from tests.conformance.storacha_place import StorachaOffer, agent, small_tree
from tests.servers.storacha import Storacha
from tests.servers.storacha_front import Gateway, front, gateway


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "FIRST_WAIT_SECONDS", 0.01)


@pytest.fixture(scope="module")
def reads(storacha_service: Storacha) -> Iterator[Gateway]:
    with gateway(storacha_service) as site:
        yield site


@pytest.fixture
def offer(storacha_service: Storacha, reads: Gateway, tmp_path: Path) -> Iterator[StorachaOffer]:
    with front(storacha_service) as site:
        yield StorachaOffer(storacha_service, site, reads, tmp_path, agent(storacha_service))
        storacha_service.ask("faults", cuts=0, hold=None)
        storacha_service.ask("limit", bytes=0)


def test_a_proof_for_another_key_is_refused_with_the_line_that_makes_one(offer: StorachaOffer) -> None:
    offer.agent.key = (thief := agent(offer.service)).key
    with pytest.raises(NotAuthorised, match="is for did:key:") as raised:
        list(offer.backend().dags())
    assert raised.value.suggestion is not None
    assert f"storacha delegation create {thief.did} --can" in raised.value.suggestion
    assert offer.agent.key not in f"{raised.value.detail}{raised.value.suggestion}"
    health = offer.backend().health()
    assert (health.reachable, health.writable) == (True, False)


def test_a_stolen_proof_is_refused_by_the_service_too(offer: StorachaOffer) -> None:
    thief = principal.parse_key(agent(offer.service).key)

    class Blind(Login):
        def require(self, *rights: str) -> None: ...

    stolen = Blind("far", thief, offer.agent.space, delegation.parse(offer.agent.proof.encode()))
    service = Service(offer.service.did, offer.backend().endpoints, stolen)
    with pytest.raises(NotAuthorised, match="the service answers Unauthorized") as raised:
        service.ask("upload/list", {})
    assert raised.value.suggestion


def test_an_expired_proof_says_since_when(offer: StorachaOffer) -> None:
    offer.agent = agent(offer.service, expiration=1_600_000_000)
    with pytest.raises(NotAuthorised, match="it expired at 2020-09-13 12:26:40 UTC") as raised:
        list(offer.backend().dags())
    assert raised.value.suggestion is not None
    assert offer.agent.did in raised.value.suggestion


def test_a_clock_that_is_wrong_is_told(offer: StorachaOffer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logins, "now", lambda: time.time() - 7200)
    with pytest.raises(NotAuthorised, match=r"7[12]\d\d s behind the service's") as raised:
        list(offer.backend().dags())
    assert raised.value.suggestion == "date -u"


def test_what_the_proof_does_not_grant_is_told_before_anything_is_sent(offer: StorachaOffer) -> None:
    offer.agent, tree = agent(offer.service, "upload/list", "space/blob/add"), small_tree()
    before = len(offer.site.log)
    with pytest.raises(NotAuthorised, match="does not grant space/index/add"):
        offer.backend().put_dag(tree.root.cid, tree.walk())
    assert len(offer.site.log) == before
    assert offer.backend().has([tree.root.cid]) == set()


def test_a_login_through_an_account_is_left_to_the_service_to_believe(offer: StorachaOffer) -> None:
    secret, middle = os.urandom(32), os.urandom(32)
    made = offer.service.ask(
        "account",
        agent={"did": principal.signer(middle).did, "key": principal.format_key(middle)},
        audience=principal.signer(secret).did,
        abilities=["upload/list"],
    )
    offer.agent.key, offer.agent.proof = principal.format_key(secret), made["proof"]
    assert list(offer.backend().dags()) == []


def test_javascript_believes_what_we_delegate(offer: StorachaOffer) -> None:
    tree, helper = small_tree(), agent(offer.service)
    offer.backend().put_dag(tree.root.cid, tree.walk())
    owner = principal.parse_key(offer.agent.key)
    right = Capability("upload/*", offer.agent.space)
    ours = delegation.parse(offer.agent.proof.encode())
    token = ucan.issue(owner, helper.did, [right], expires=None, proofs=[ours.cid])
    block = token.block()
    handed = Delegation(block.cid, ours.tokens | {block.cid: token}, (*ours.blocks, block))
    text = base64.b64encode(handed.archive()).decode()

    seen = offer.service.ask("inspect", proof=text)
    assert (seen["signed"], seen["audience"], seen["issuer"]) == (True, helper.did, owner.did)
    (listed,) = offer.service.ask("list", key=helper.key, proof=text)
    assert listed["root"] == str(tree.root.cid)


def test_a_proof_is_read_from_a_file_and_the_key_of_the_space_needs_none(offer: StorachaOffer) -> None:
    file = offer.folder / "proof.car"
    file.write_bytes(delegation.parse(offer.agent.proof.encode()).archive())
    assert list(offer.backend(proof=str(file)).dags()) == []
    with pytest.raises(Invalid, match="cannot be read from"):
        offer.backend(proof=f"{file}.none").has([])
    with pytest.raises(Invalid, match="absolute"):
        offer.backend(proof=file.name).has([])

    offer.agent.key = offer.agent.space_key
    assert list(offer.backend(proof="").dags()) == []


@pytest.mark.parametrize(
    "options",
    [
        {"filecoin": "maybe"},
        {"url": "ftp://x"},
        {"url": "nowhere"},
        {"url": ","},
        {"url": "http://[x"},
        {"gateway": "storacha.link"},
        {"did": "web:x"},
        {"space": "did:key:zzz"},
        {"shard_bytes": "many"},
    ],
)
def test_options_that_make_no_sense_are_refused(offer: StorachaOffer, options: dict[str, str]) -> None:
    checked("storacha", offer.options(**options), token=True)
    with pytest.raises(Invalid):
        offer.backend(**options)


@pytest.mark.parametrize("key", ["", "Mg", "not a key"])
def test_a_token_that_is_no_key_is_refused(offer: StorachaOffer, key: str) -> None:
    offer.agent.key = key
    with pytest.raises((Invalid, NotAuthorised)):
        list(offer.backend().dags())
