"""Storacha when things go wrong: servers that fail, and uploads that end in the middle."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.piece import piece
from ipfs_accel_cli.core import retry
from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import (
    AccelError,
    Cancelled,
    LimitReached,
    NotAuthorised,
    NotFound,
    Offline,
    TryAgain,
    Unavailable,
    UnsupportedContent,
    VerificationFailed,
)
from tests.conformance.storacha_place import StorachaOffer, agent, small_tree
from tests.servers.serving import Faults
from tests.servers.storacha import Storacha
from tests.servers.storacha_front import Gateway, front, gateway

NOBODY = "http://127.0.0.1:9"
CHILD = """
import json, sys
from pathlib import Path
from ipfs_accel_cli.backends.base import Config
from ipfs_accel_cli.backends.registry import backend_for
from ipfs_accel_cli.content.cid import CID
task = json.load(sys.stdin)
config = Config("far", task["options"], Path(task["folder"]), lambda: task["key"])
blocks = [(CID.parse(cid), bytes.fromhex(data)) for cid, data in task["blocks"]]
backend_for("storacha", config).put_dag(CID.parse(task["root"]), blocks)
"""


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "FIRST_WAIT_SECONDS", 0.001)


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


class TestServers:
    def test_the_next_address_takes_over_and_is_named(self, offer: StorachaOffer) -> None:
        tree = small_tree()
        backend = offer.backend(url=f"{NOBODY},{offer.site.url}")
        assert backend.put_dag(tree.root.cid, tree.walk()).via == offer.site.url
        assert f"{NOBODY} fails" in backend.health().detail

    def test_an_address_that_keeps_failing_is_left_alone(self, offer: StorachaOffer) -> None:
        with front(offer.service) as busy:
            busy.faults = Faults(status=503)
            backend = offer.backend(url=f"{busy.url},{offer.site.url}")
            for _ in range(5):
                assert list(backend.dags()) == []
            assert len(busy.log) == 3

    def test_all_addresses_down_is_told_and_none_is_waited_for_long(self, offer: StorachaOffer) -> None:
        with pytest.raises(AccelError, match="cannot reach the server") as raised:
            list(offer.backend(url=NOBODY).dags())
        assert raised.value.retryable
        assert raised.value.suggestion == f"curl -I {NOBODY}"

    def test_a_wrong_address_is_not_taken_for_nothing_there(self, offer: StorachaOffer) -> None:
        offer.site.faults, backend, root = Faults(status=404), offer.backend(), small_tree().root.cid
        for work in (lambda: backend.has([root]), lambda: backend.remove_dag(root)):
            with pytest.raises(Unavailable, match="not the address of the service"):
                work()

    def test_a_busy_moment_is_waited_out(self, offer: StorachaOffer) -> None:
        offer.site.faults = Faults(busy=2)
        assert list(offer.backend().dags()) == []

    def test_a_space_without_room_is_a_limit(self, offer: StorachaOffer) -> None:
        tree = small_tree()
        offer.service.ask("limit", bytes=1)
        with pytest.raises(LimitReached, match="InsufficientStorage"):
            offer.backend().put_dag(tree.root.cid, tree.walk())
        assert list(offer.backend().dags()) == []

    def test_without_a_gateway_nothing_is_read(self, offer: StorachaOffer) -> None:
        with pytest.raises(UnsupportedContent, match="gateway"):
            offer.backend(gateway="").get_dag(small_tree().root.cid)

    def test_nothing_is_sent_where_the_network_is_forbidden(self, offer: StorachaOffer) -> None:
        tree, backend = small_tree(), offer.backend()
        for work in (lambda: backend.put_dag(tree.root.cid, tree.walk()), lambda: list(backend.dags()), backend.health):
            with using(Call(offline=True)), pytest.raises(Offline):
                work()
        assert offer.site.log == []

    def test_only_the_owner_uses_the_key(self, offer: StorachaOffer) -> None:
        with using(Call(folders=())), pytest.raises(NotAuthorised, match="only the owner's shell"):
            offer.backend().has([small_tree().root.cid])


class TestUploads:
    def test_one_that_breaks_off_is_sent_again(self, offer: StorachaOffer) -> None:
        tree = small_tree(2 << 20)
        offer.service.ask("faults", cuts=2)
        offer.backend().put_dag(tree.root.cid, tree.walk())
        assert {block.cid for block in offer.backend().get_dag(tree.root.cid)} == set(tree.blocks)

    def test_answers_that_are_lost_and_receipts_that_are_late_are_asked_for_again(self, offer: StorachaOffer) -> None:
        tree, before = small_tree(), offer.puts()
        offer.site.lost, offer.site.late = 2, 3
        offer.backend().put_dag(tree.root.cid, tree.walk())
        assert (offer.site.lost, offer.site.late) == (0, 0)
        assert len(offer.puts()) == len(before) + 2  # The shard and the index, each once.
        assert set(offer.backend().dags()) == {tree.root.cid}

    def test_a_receipt_that_never_comes_is_worth_another_try(self, offer: StorachaOffer) -> None:
        tree, offer.site.late = small_tree(), 1000
        with pytest.raises(TryAgain, match="has not done it yet"):
            offer.backend().put_dag(tree.root.cid, tree.walk())
        offer.site.late = 0
        assert offer.backend().put_dag(tree.root.cid, tree.walk()).via

    def test_a_dag_that_is_not_whole_is_refused_and_not_listed(self, offer: StorachaOffer) -> None:
        tree, backend = small_tree(2 << 20), offer.backend()
        with pytest.raises(NotFound, match="not whole: 1 of its blocks"):
            backend.put_dag(tree.root.cid, list(tree.walk())[:-1])
        assert list(backend.dags()) == []

    def test_a_block_that_is_not_what_its_name_says_is_not_sent(self, offer: StorachaOffer) -> None:
        tree, before = small_tree(), offer.puts()
        spoiled = [(cid, data[:-1] + b"x") for cid, data in tree.walk()]
        with pytest.raises(VerificationFailed):
            offer.backend().put_dag(tree.root.cid, spoiled)
        assert offer.puts() == before

    def test_one_that_is_given_up_lists_nothing_and_can_be_done_again(self, offer: StorachaOffer) -> None:
        tree, call = small_tree(2 << 20), Call()

        def until_stopped() -> Iterator[tuple[CID, bytes]]:
            for number, block in enumerate(tree.walk()):
                if number == 1:
                    call.stopped.set()
                yield block

        with using(call), pytest.raises(Cancelled):
            offer.backend().put_dag(tree.root.cid, until_stopped())
        assert list(offer.backend().dags()) == []
        offer.backend().put_dag(tree.root.cid, tree.walk())
        assert set(offer.backend().dags()) == {tree.root.cid}

    def test_after_kill_9_only_what_is_missing_is_sent(self, offer: StorachaOffer) -> None:
        tree, before, held = small_tree(3 << 20), offer.puts(), offer.held()
        options, notes = offer.options(shard_bytes=str(2 << 20)), offer.folder / "notes"
        offer.service.ask("faults", hold=len(before) + 1)  # The second shard waits in its middle.
        blocks = [(str(cid), data.hex()) for cid, data in tree.walk()]
        task = {"options": options, "folder": str(notes), "key": offer.agent.key, "root": str(tree.root.cid)}
        child = subprocess.Popen([sys.executable, "-c", CHILD], stdin=subprocess.PIPE)
        assert child.stdin is not None
        with closing(child.stdin):
            child.stdin.write(json.dumps(task | {"blocks": blocks}).encode())
        while offer.held() == held:
            assert child.poll() is None
            time.sleep(0.02)
        child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
        offer.service.ask("faults", hold=None)

        (first,) = offer.puts()[len(before) :]
        assert [file.suffix for file in notes.iterdir()] == [".accepted"]
        assert list(offer.backend().dags()) == []
        offer.site.log.clear()
        offer.backend(**options).put_dag(tree.root.cid, tree.walk())
        # Two for each blob that is sent, one each for the index and the upload, and none for the first shard.
        assert sum(line.startswith("POST") for line in offer.site.log) == 3 * 2 + 2
        again = offer.puts()[len(before) + 1 :]
        assert len(again) == len(set(again)) == 3  # Two other shards and the index.
        assert first not in again
        assert {block.cid for block in offer.backend().get_dag(tree.root.cid)} == set(tree.blocks)
        assert list(notes.iterdir()) == []

    def test_two_at_once_end_well(self, offer: StorachaOffer) -> None:
        tree, ended = small_tree(), list[str]()

        def run() -> None:
            ended.append(offer.backend().put_dag(tree.root.cid, tree.walk()).locator)

        threads = [threading.Thread(target=run) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert ended == [str(tree.root.cid)] * 2
        assert list(offer.backend().dags()) == [tree.root.cid]

    def test_shards_are_offered_to_filecoin_where_that_is_wanted(self, offer: StorachaOffer) -> None:
        tree, before = small_tree(), len(offer.service.ask("state")["offers"])
        offer.backend(filecoin="yes").put_dag(tree.root.cid, tree.walk())
        (shard,) = offer.service.ask("list", key=offer.agent.key, proof=offer.agent.proof)[0]["shards"]
        data = offer.service.blob(CID.parse(shard).multihash.digest.hex())
        assert offer.service.ask("state")["offers"][before:] == [str(piece([data]))]
