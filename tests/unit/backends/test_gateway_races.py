from __future__ import annotations

import threading

import pytest

from ipfs_accel_cli.backends.gateway import race, supply
from ipfs_accel_cli.content.car import Block
from ipfs_accel_cli.content.cid import CID, RAW
from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import (
    NotFound,
    TryAgain,
    Unavailable,
)
from tests.conformance.dags_suite import TREE, UNKNOWN
from tests.servers.serving import Faults
from tests.unit.backends.gateways import CHUNK, LEAVES, ROOT, Serve, backend, got, over


def _hold(event: threading.Event, blocks: list[Block]) -> list[Block]:
    event.wait(30)
    return blocks


class TestSeveralGateways:
    def test_the_first_is_favoured_and_the_others_are_left_alone(self, serve: Serve) -> None:
        first, second = serve(2)
        assert got(over([first, second])) == TREE.blocks
        assert second.log == []

    def test_one_that_is_slow_is_overtaken(self, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(supply, "delay_seconds", lambda _: 0.01)
        slow, second = serve(2)
        overtaken = threading.Event()
        slow.hand.blocks = lambda blocks: _hold(overtaken, blocks)

        assert got(over([slow, second])) == TREE.blocks
        overtaken.set()

    def test_one_that_is_down_costs_no_waiting(self, serve: Serve) -> None:
        (second,) = serve()
        dags = backend("http://127.0.0.1:1", second.url)

        assert got(dags) == TREE.blocks
        assert dags.has([ROOT, UNKNOWN]) == {ROOT}
        health = dags.health()
        assert health.reachable is True
        assert "1 of 2" in health.detail

    def test_where_one_breaks_off_another_goes_on(self, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(supply, "AGAIN_BYTES", 0)
        first, second = serve(2)
        first.faults = Faults(cuts=1, cut_after_bytes=3 * CHUNK)

        assert got(over([first, second])) == TREE.blocks
        # What had come is not asked for again.
        assert sorted(second.sent) == sorted(LEAVES[2:])

    def test_where_one_falls_silent_another_goes_on(self, serve: Serve) -> None:
        first, second = serve(2)
        first.faults = Faults(stalls=1)
        with using(Call(read_seconds=0.3)):
            assert got(over([first, second])) == TREE.blocks
        assert any("format=car" in line for line in second.log)

    def test_a_part_that_is_missing_comes_as_a_car_of_its_own(self, serve: Serve) -> None:
        first, second = serve(2)
        inner = next(cid for cid in TREE.blocks if cid.codec != RAW and cid != ROOT)
        first.hand.blocks = lambda blocks: blocks[: [block.cid for block in blocks].index(inner)]

        assert got(over([first, second])) == TREE.blocks
        assert ROOT not in second.sent
        assert [line.split("?")[0] for line in second.log] == [f"GET /ipfs/{inner}"]

    def test_below_a_path_nothing_but_what_it_leads_to_is_fetched_again(
        self, serve: Serve, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(supply, "AGAIN_BYTES", 0)
        first, second = serve(2)
        first.hand.blocks = lambda blocks: blocks[:1]

        wanted = got(over([first, second]), path="weights.bin")
        assert wanted.keys() == TREE.blocks.keys() - {CID.of(b"{}", RAW)}
        assert set(second.sent) == wanted.keys() - {ROOT}

    def test_nobody_has_it_where_none_of_them_has(self, serve: Serve) -> None:
        first, second = serve(2)
        with pytest.raises(NotFound):
            got(over([first, second]), UNKNOWN)
        second.faults.status = 503
        with pytest.raises(TryAgain):
            got(over([first, second]), UNKNOWN)
        with pytest.raises(Unavailable):
            got(backend("http://127.0.0.1:1", "http://127.0.0.1:2"))


def test_the_next_gateway_starts_the_sooner_the_quicker_the_first_usually_is() -> None:
    assert race.delay_seconds(None) == race.UNKNOWN_DELAY_SECONDS
    delays = [race.delay_seconds(latency) for latency in (0.0, 0.1, 0.3, 60.0)]
    assert delays == sorted(delays)
    assert delays[0] > 0
    assert delays[1] == 0.2
    assert delays[-1] <= 2
