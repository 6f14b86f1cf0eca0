"""Pins at a place that fetches in its own time: asked for and left, listed by how far they are, or waited for."""

from __future__ import annotations

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.backends.registry import BACKENDS
from ipfs_accel_cli.content.cid import CID, RAW
from ipfs_accel_cli.core.deadline import within
from ipfs_accel_cli.core.errors import Invalid, NotFound, RemoteFailed, SomeFailed, TryAgain
from ipfs_accel_cli.core.registry import Plugin
from ipfs_accel_cli.services.store.backends.waiting import settled
from tests.servers.pins import FakePins

ONE, TWO, THREE = (str(CID.of(bytes([number]), RAW)) for number in range(3))


@pytest.fixture(autouse=True)
def _pinner(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BACKENDS._builtin, "fake", Plugin("tests.servers.pins:FakePins"))
    FakePins.begin()
    node.store.backends.add("pinner", "fake", {})


def test_without_waiting_the_status_is_that_of_the_moment(node: Node) -> None:
    (pin,) = node.store.exchange.pin([ONE], "pinner", "release")

    assert (pin.cid, pin.status, pin.name) == (ONE, "queued", "release")
    assert [one.cid for one in node.store.exchange.pinned("pinner", status="queued")] == [ONE]
    assert node.store.exchange.pinned("pinner", status="pinned") == []


def test_with_waiting_it_ends_when_all_are_there(node: Node) -> None:
    pins = node.store.exchange.pin([ONE, TWO], "pinner", "", wait=True)

    assert [(pin.cid, pin.status) for pin in pins] == [(ONE, "pinned"), (TWO, "pinned")]


def test_one_that_fails_is_told_with_the_reason_and_the_others_are_waited_for(node: Node) -> None:
    FakePins.begin(**{ONE: ("pinning", "failed")})

    with pytest.raises(RemoteFailed, match="nobody has it"):
        node.store.exchange.pin([ONE], "pinner", "", wait=True)
    with pytest.raises(SomeFailed) as raised:
        node.store.exchange.pin([ONE, TWO], "pinner", "", wait=True)
    assert [error["pointer"] for error in raised.value.errors] == [ONE]
    assert FakePins.looks[CID.parse(TWO)] == 3


def test_a_deadline_ends_the_waiting_and_the_place_goes_on(node: Node) -> None:
    FakePins.begin(**{ONE: ("queued",)})

    with within(0.3), pytest.raises(TryAgain):
        node.store.exchange.pin([ONE], "pinner", "", wait=True)
    assert [one.status for one in node.store.exchange.pinned("pinner")] == ["queued"]


def test_a_pin_that_somebody_takes_off_meanwhile_is_not_waited_for() -> None:
    from pathlib import Path

    from ipfs_accel_cli.backends.base import Config

    place = FakePins(Config("pinner", {}, Path()))
    pin = place.pin(CID.parse(ONE))
    with pytest.raises(NotFound, match="any more"):
        settled(place, "pinner", [pin], sleep=lambda _: place.unpin(pin.cid))


def test_the_place_is_asked_less_and_less_often() -> None:
    from pathlib import Path

    from ipfs_accel_cli.backends.base import Config

    FakePins.begin(**{ONE: ("queued",) * 12 + ("pinned",)})
    place, slept = FakePins(Config("pinner", {}, Path())), [0.0]

    def sleep(seconds: float) -> None:
        slept[0] += seconds

    settled(place, "pinner", [place.pin(CID.parse(ONE))], sleep)
    assert 75 < slept[0] < 130
    assert FakePins.looks[CID.parse(ONE)] == 13


def test_here_nothing_is_waited_for(node: Node) -> None:
    from ipfs_accel_cli.commands.store import pin

    with pytest.raises(Invalid, match="--on"):
        pin.add([ONE], wait=True)
    with pytest.raises(Invalid, match="--on"):
        pin.ls(status="queued")
