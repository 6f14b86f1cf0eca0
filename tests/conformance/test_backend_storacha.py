"""Storacha against the service's own code on loopback: the conformance suite, and what is particular to it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ipfs_accel_cli.backends.base import Config, TakesDags
from ipfs_accel_cli.backends.registry import backend_for
from ipfs_accel_cli.backends.storacha import login as logins
from ipfs_accel_cli.backends.storacha.backend import StorachaBackend
from ipfs_accel_cli.content import delegation, principal, ucan
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import (
    AccelError,
    Cancelled,
    Invalid,
    LimitReached,
    NotAuthorised,
    NotFound,
    TryAgain,
    Unavailable,
    UnsupportedContent,
)
from tests.conformance.backend_suite import TREE, ServedDagsSuite, ServedOffer
from tests.servers.serving import Faults
from tests.servers.storacha import Storacha, storacha
from tests.servers.storacha_front import Front, Gateway, front, gateway

ABILITIES = ["space/blob/add", "space/index/add", "upload/*"]
SHARD_BYTES = 4 << 20  # Two shards for the tree of the suite.


@dataclass
class Agent:
    """A key of ours with a space that JavaScript made for it."""

    key: str
    did: str
    space: str
    proof: str
    space_key: str


def agent(service: Storacha, abilities: list[str] | None = None, expiration: int | None = None) -> Agent:
    secret = os.urandom(32)
    did = principal.signer(secret).did
    made = service.ask("delegate", audience=did, abilities=abilities or ABILITIES, expiration=expiration)
    service.ask("provision", space=made["space"])
    return Agent(principal.format_key(secret), did, made["space"], made["proof"], made["key"])


class StorachaOffer(ServedOffer):
    def __init__(self, service: Storacha, site: Front, reads: Gateway, folder: Path) -> None:
        self.service, self.site, self.reads, self.folder = service, site, reads, folder
        self.agent = agent(service)

    def backend(self, **options: str) -> StorachaBackend:
        options = {
            "url": self.site.url,
            "did": self.service.did,
            "proof": self.agent.proof,
            "gateway": self.reads.url,
            "shard_bytes": str(SHARD_BYTES),
        } | options
        made = backend_for("storacha", Config("far", options, self.folder / "notes", lambda: self.agent.key))
        assert isinstance(made, StorachaBackend)
        return made

    def refuse_logins(self) -> None:
        self.agent.key = agent(self.service).key

    @contextmanager
    def down(self) -> Iterator[None]:
        self.site.gone = self.reads.gone = True
        yield
        self.site.gone = self.reads.gone = False

    def failing(self, status: int) -> Any:
        return self._faulty(status=status)

    def cutting(self) -> Any:
        return self._faulty(cuts=1 << 30)

    def spoiling(self) -> Any:
        return self._faulty(spoiled={"dag.car"})

    @contextmanager
    def _faulty(self, **faults: Any) -> Iterator[None]:
        self.site.faults = self.reads.faults = Faults(**faults)
        yield
        self.site.faults = self.reads.faults = Faults()

    def puts(self) -> list[str]:
        """Return the digests of what was uploaded, in order."""
        return list(self.service.ask("state")["puts"])


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storacha]:
    with storacha(tmp_path_factory.mktemp("storacha")) as running:
        yield running


@pytest.fixture(scope="session")
def reads(service: Storacha) -> Iterator[Gateway]:
    with gateway(service) as site:
        yield site


@pytest.fixture
def offer(service: Storacha, reads: Gateway, tmp_path: Path) -> Iterator[StorachaOffer]:
    with front(service) as site:
        yield StorachaOffer(service, site, reads, tmp_path)
        service.ask("faults", cuts=0, hold=False)
        service.ask("limit", bytes=0)


def put(backend: TakesDags) -> Any:
    return backend.put_dag(TREE.root.cid, TREE.walk())


class TestStoracha(ServedDagsSuite):
    def test_a_dag_goes_in_shards_that_javascript_finds_again(self, offer: StorachaOffer) -> None:
        receipt = put(offer.backend())
        assert (receipt.locator, receipt.proof, receipt.via) == (str(TREE.root.cid), "checksum", offer.site.url)
        assert receipt.size_bytes == sum(map(len, TREE.blocks.values()))

        (listed,) = offer.service.ask("list", key=offer.agent.key, proof=offer.agent.proof)
        assert listed["root"] == str(TREE.root.cid)
        shards = [CID.parse(text).multihash.digest.hex() for text in listed["shards"]]
        assert len(shards) == 2
        assert all(len(offer.service.blob(name)) <= SHARD_BYTES for name in shards)

    def test_what_javascript_uploads_is_listed_and_read(self, offer: StorachaOffer) -> None:
        root = CID.parse(offer.service.ask("upload", key=offer.agent.key, proof=offer.agent.proof, data="AAECAwQFBgc="))
        backend = offer.backend()

        assert set(backend.dags()) == {root}
        assert backend.has([root, TREE.root.cid]) == {root}
        assert [block.data for block in backend.get_dag(root)] == [bytes(range(8))]

    def test_what_lies_there_is_not_sent_twice(self, offer: StorachaOffer) -> None:
        put(offer.backend())
        before = offer.puts()
        put(offer.backend())
        assert offer.puts() == before
        assert [file.name for file in (offer.folder / "notes").iterdir()] == []

    def test_an_upload_that_breaks_off_is_sent_again(self, offer: StorachaOffer) -> None:
        offer.agent = agent(offer.service)
        own = TREE.__class__({"other.bin": os.urandom(2 << 20)})
        offer.service.ask("faults", cuts=2)
        offer.backend().put_dag(own.root.cid, own.walk())
        assert {b.cid for b in offer.backend().get_dag(own.root.cid)} == set(own.blocks)

    def test_a_dag_that_is_not_whole_is_refused_and_not_listed(self, offer: StorachaOffer) -> None:
        backend = offer.backend()
        with pytest.raises(NotFound, match="not whole"):
            backend.put_dag(TREE.root.cid, list(TREE.walk())[:-1])
        assert list(backend.dags()) == []
