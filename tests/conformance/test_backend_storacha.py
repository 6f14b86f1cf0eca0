"""The conformance suite of backends on Storacha, with the service's own code on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ipfs_accel_cli.backends.base import Dags
from ipfs_accel_cli.backends.storacha import backend as backends
from ipfs_accel_cli.content.cid import CID
from tests.conformance.backend_suite import Offer
from tests.conformance.dags_suite import TREE, ServedDagsSuite
from tests.conformance.storacha_place import Agent, StorachaOffer, agent, small_tree
from tests.servers.storacha import Storacha
from tests.servers.storacha_front import Gateway, front, gateway


@pytest.fixture(scope="module")
def reads(storacha_service: Storacha) -> Iterator[Gateway]:
    with gateway(storacha_service) as site:
        yield site


@pytest.fixture(scope="module")
def who(storacha_service: Storacha) -> Agent:
    return agent(storacha_service)


@pytest.fixture
def offer(storacha_service: Storacha, reads: Gateway, tmp_path: Path, who: Agent) -> Iterator[StorachaOffer]:
    with front(storacha_service) as site:
        yield StorachaOffer(storacha_service, site, reads, tmp_path, who)


class TestStoracha(ServedDagsSuite):
    def bring(self, offer: Offer) -> Dags:
        """The service takes a while for each upload, and keeps what an earlier case has brought."""
        made = offer.backend()
        return made if isinstance(made, Dags) and TREE.root.cid in made.has([TREE.root.cid]) else super().bring(offer)


def test_javascript_lists_the_shards_of_our_upload(offer: StorachaOffer) -> None:
    offer.agent = agent(offer.service)
    receipt = offer.backend(shard_bytes=str(4 << 20)).put_dag(TREE.root.cid, TREE.walk())
    assert (receipt.locator, receipt.proof, receipt.via) == (str(TREE.root.cid), "checksum", offer.site.url)
    assert receipt.size_bytes == sum(map(len, TREE.blocks.values()))

    (listed,) = offer.service.ask("list", key=offer.agent.key, proof=offer.agent.proof)
    assert listed["root"] == str(TREE.root.cid)
    shards = [offer.service.blob(CID.parse(text).multihash.digest.hex()) for text in listed["shards"]]
    assert len(shards) == 2
    assert all(len(shard) <= 4 << 20 for shard in shards)


def test_what_javascript_uploads_is_listed_and_read(offer: StorachaOffer) -> None:
    offer.agent = agent(offer.service)
    root = CID.parse(offer.service.ask("upload", key=offer.agent.key, proof=offer.agent.proof, data="AAECAwQFBgc="))
    backend = offer.backend()

    assert set(backend.dags()) == {root}
    assert backend.has([root, TREE.root.cid]) == {root}
    assert [block.data for block in backend.get_dag(root)] == [bytes(range(8))]


def test_a_list_of_many_pages_is_read_to_its_end(offer: StorachaOffer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends, "_PAGE", 2)
    offer.agent = agent(offer.service)
    backend, roots = offer.backend(), [CID.of(bytes([number])) for number in range(5)]
    assert list(backend.dags()) == []
    for root in roots:
        backend._service().ask("upload/add", {"root": root, "shards": []})
    assert sorted(backend.dags()) == sorted(roots)


def test_what_lies_there_is_not_sent_twice(offer: StorachaOffer) -> None:
    tree = small_tree()
    offer.backend().put_dag(tree.root.cid, tree.walk())
    before = offer.puts()
    offer.backend().put_dag(tree.root.cid, tree.walk())

    assert offer.puts() == before
    assert list((offer.folder / "notes").iterdir()) == []
