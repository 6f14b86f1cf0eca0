"""Where content goes: by prices, regions and what was measured; what was decided; what it costs."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.backends.base import Backend, Config
from ipfs_accel_cli.backends.local import LocalBackend
from ipfs_accel_cli.backends.wrap import composed
from ipfs_accel_cli.backends.wrap.base import Through, wrapped
from ipfs_accel_cli.backends.wrap.passing import Passing
from ipfs_accel_cli.content.cid import CID, RAW
from ipfs_accel_cli.services.store.backends.copies import Known
from ipfs_accel_cli.services.store.placement.probing import Probe
from ipfs_accel_cli.services.store.placement.service import Wish
from ipfs_accel_cli.surfaces.cli.main import run
from tests.running import Ran

Cli = Callable[..., Ran]
T = TypeVar("T")
MIB = 1 << 20


@pytest.fixture
def places(tmp_path: Path, node: Node) -> dict[str, Path]:
    """Two places in Europe, one in Sydney."""
    found = {name: tmp_path / name for name in ("berlin", "paris", "sydney")}
    for name, folder in found.items():
        folder.mkdir()
        node.store.backends.add(name, "local", {"path": str(folder), "region": name})
    (node.home.path / "prices.toml").write_text(
        'currency = "EUR"\n'
        "[regions.berlin]\nlatitude = 52.5\nlongitude = 13.4\nzone = 'europe'\n"
        "[regions.paris]\nlatitude = 48.9\nlongitude = 2.4\nzone = 'europe'\n"
        "[regions.sydney]\nlatitude = -33.9\nlongitude = 151.2\nzone = 'australia'\n"
    )
    return found


def measured(node: Node, name: str, bytes_s: float, latency_s: float = 0.01) -> None:
    """Let the home have seen a place at work."""
    note = node.store.placement.facts.measures.note
    note(name, "stat", 0, latency_s, None)
    for operation in ("put", "open"):
        note(name, operation, 10 * MIB, 10 * MIB / bytes_s, None)


def order(node: Node, wish: Wish, size_bytes: int = 1 << 30) -> list[str]:
    return [one.name for one in node.store.placement.plan(None, wish, size_bytes=size_bytes).backends]


def test_what_was_measured_decides_where_speed_is_wanted(node: Node, places: dict[str, Path]) -> None:
    for name, bytes_s in (("berlin", 1e6), ("paris", 1e8), ("sydney", 1e7)):
        measured(node, name, bytes_s)
    assert order(node, Wish(strategy="speed")) == ["paris", "sydney", "berlin"]


def test_the_region_decides_where_nearness_is_wanted(node: Node, places: dict[str, Path]) -> None:
    assert order(node, Wish(strategy="geo", near="berlin")) == ["berlin", "paris", "sydney"]
    assert order(node, Wish(strategy="geo", near="-37.8,145")) == ["sydney", "berlin", "paris"]


def test_copies_are_spread_over_zones(node: Node, places: dict[str, Path]) -> None:
    planned = node.store.placement.plan(None, Wish(copies=2, spread=True), size_bytes=1 << 30)
    assert planned.chosen == ["berlin", "sydney"]
    assert next(one.why for one in planned.backends if one.name == "paris") == "zone europe has a copy already"


def test_a_probe_of_a_slow_place_is_what_ranks_it_last(node: Node, places: dict[str, Path], tmp_path: Path) -> None:
    class Slow(Through):
        """The Around of a place that is far away."""

        def call(self, operation: str, work: Callable[[Passing | None], T], *, again: bool = True) -> T:
            time.sleep(0.05)
            return work(None)

        def opened(
            self, locator: str, offset: int, length: int | None, begin: Callable[[int, int | None], Iterator[bytes]]
        ) -> Iterator[bytes]:
            time.sleep(0.05)
            return begin(offset, length)

    facts = node.store.placement.facts

    def probe(name: str, backend: Backend) -> None:
        seen = Probe(name, backend, facts.copies, facts.measures.note, MIB).run()
        assert (seen.state, seen.size_bytes) == ("ok", MIB)
        assert seen.latency_ms
        assert seen.write_bytes_s
        assert seen.read_bytes_s

    far = LocalBackend(Config("berlin", {"path": str(places["berlin"])}, tmp_path))
    probe("berlin", composed(wrapped(far, Slow()), note=partial(facts.measures.note, "berlin")))
    probe("paris", node.store.backends.open("paris"))
    assert facts.measures.of("berlin").latency_s > 0.02
    assert not any(path.is_file() for folder in places.values() for path in folder.rglob("*"))
    planned = node.store.placement.plan(None, Wish(strategy="speed"), size_bytes=1 << 30)
    seen = {one.name: one for one in planned.backends}
    assert seen["paris"].rank < seen["berlin"].rank
    assert "speed: unknown" in seen["sydney"].why
    assert "exploration: +0.1" in seen["sydney"].why


def test_a_place_that_is_down_is_told_by_a_probe_and_refused_by_the_plan(node: Node, places: dict[str, Path]) -> None:
    places["berlin"].rmdir()
    probed = {one.name: one for one in node.store.placement.probe([], MIB)}
    assert {name: one.state for name, one in probed.items()} == {"berlin": "failed", "paris": "ok", "sydney": "ok"}
    assert str(places["berlin"]) in probed["berlin"].detail
    last = node.store.placement.plan(None, Wish(), size_bytes=1).backends[-1]
    assert (last.name, last.rank) == ("berlin", None)
    assert "it was down" in last.why


def test_a_place_that_is_only_read_is_probed_without_a_trace(node: Node, places: dict[str, Path]) -> None:
    (places["paris"] / "model.bin").write_bytes(os.urandom(3 * MIB))
    (seen,) = node.store.placement.probe(["paris"], MIB, read_only=True)
    assert (seen.state, seen.detail, seen.write_bytes_s) == ("ok", "read model.bin", None)
    assert seen.read_bytes_s
    (bare,) = node.store.placement.probe(["berlin"], MIB, read_only=True)
    assert bare.detail == "it answered; nothing that could be read is known there"
    assert list(places["berlin"].iterdir()) == []


def test_real_transfers_are_measured(node: Node, places: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(os.urandom(2 * MIB))
    (stored,) = node.store.put([tmp_path / "weights"], to=["paris:"])
    assert node.store.placement.facts.measures.of("paris").write_bytes_s
    with Node(tmp_path / "other") as other:
        other.store.backends.add("near", "local", {"path": str(places["paris"])})
        other.store.exchange.fetch(stored.cid, "near")
        assert other.store.placement.facts.measures.of("near").read_bytes_s


def test_healing_asks_placement_where_to_send(node: Node, places: dict[str, Path], tmp_path: Path) -> None:
    measured(node, "berlin", 1e5)
    measured(node, "paris", 1e8)
    measured(node, "sydney", 1e7)
    (tmp_path / "weights").write_bytes(os.urandom(MIB))
    (stored,) = node.store.put([tmp_path / "weights"])

    (planned,) = node.store.integrity.heal(2, dry_run=True)
    assert (planned.to, node.store.placement.log(9)) == (["paris"], [])
    (healed,) = node.store.integrity.heal(3)
    assert healed.to == ["paris", "sydney"]  # And not Berlin, which is in the zone of Paris.
    (decided,) = node.store.placement.log(9)
    assert (decided.cause, decided.cid, decided.to) == ("heal", stored.cid, ["paris", "sydney"])


def test_equal_places_share_what_is_healed(node: Node, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        node.store.backends.add(name, "local", {"path": str(tmp_path / name)})
    for number in range(6):
        (tmp_path / f"file{number}").write_bytes(os.urandom(100_000))
    list(node.store.put([tmp_path / f"file{number}" for number in range(6)]))
    sent = [healing.to for healing in node.store.integrity.heal(2)]
    assert sorted(sent) == [["one"]] * 3 + [["two"]] * 3


def test_a_month_costs_what_lies_there_and_what_was_moved(cli: Cli, places: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(os.urandom(2 * MIB))
    assert cli("store", "put", tmp_path / "weights", "--to", "paris,berlin").status == 0
    prices = ("--storage", "1024", "--ingress", "512", "--free")
    assert cli("store", "price", "set", "paris", *prices, "--json").json["prices"][0]["storage"] == 1024

    cost = cli("store", "cost", "--forecast", "90d", "--json").json
    paris = next(one for one in cost["backends"] if one["name"] == "paris")
    assert (paris["copies"], paris["size_bytes"], paris["storage"]) == (1, 2 * MIB, 2.0)
    assert paris["traffic"] == pytest.approx(1, abs=0.01)
    assert cost["month"] == paris["month"]
    assert cost["unknown"] == ["berlin"]
    assert paris["forecast"] is None
    assert paris["why"] == "forecast: unknown, because there are fewer than 14 days of history: 1"


def test_a_forecast_goes_on_as_it_went_and_says_how_far_it_was_off(node: Node, places: dict[str, Path]) -> None:
    costs = node.store.placement.costs
    cid = CID.of(b"weights", RAW)
    costs.history._copies.note([Known(cid, "paris", "weights", False, 21 * MIB, None, "reread")])
    with (node.home.path / "prices.toml").open("a") as book:
        book.write("[kinds.local]\nstorage = 1024\negress = 0\ningress = 0\nputs = 0\ngets = 0\n")
    today = datetime.now(UTC)
    with node.database.write() as connection:
        connection.execute("DELETE FROM daily_totals")
        for day in range(20, 0, -1):
            row = ("paris", (today - timedelta(days=day)).date().isoformat(), 1, (21 - day) * MIB)
            connection.execute("INSERT INTO daily_totals VALUES (?, ?, ?, ?)", row)
    paris = next(one for one in costs.cost(30).backends if one.name == "paris")
    assert (paris.forecast_bytes, paris.error, paris.why) == (51 * MIB, 0, "")
    months = 30 / 30.4375
    assert paris.forecast == pytest.approx(sum(range(22, 52)) / 30 * months, rel=1e-5)


def test_prices_are_declared_by_the_command_line_and_explain_a_route(
    cli: Cli, node: Node, places: dict[str, Path]
) -> None:
    assert cli("store", "price", "set", "berlin", "--free").status == 0
    assert cli("store", "price", "set", "local", "--kind", "--storage", "0.5", "--egress", "0.1").status == 0
    assert cli("store", "price", "region", "sydney", "--at=-33.8,151").status == 0
    route = cli("store", "route", "plan", "--size", "1GiB", "--strategy", "cost", "--explain", "--json").json
    assert route["chosen"] == ["berlin"]
    costs = {one["backend"]: one for one in route["parts"] if one["part"] == "cost"}
    assert (costs["berlin"]["value"], costs["berlin"]["score"]) == (0, 1)
    assert costs["paris"]["said"].endswith("at least: ingress, puts, gets not declared")

    log = cli("store", "route", "log", "--json").json["items"]
    assert [(one["cause"], one["to"]) for one in log] == [("plan", ["berlin"])]
    assert cli("store", "price", "rm", "berlin").status == 0
    assert [one["name"] for one in cli("store", "price", "ls", "--json").json["prices"]] == ["local"]


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["route", "plan"], 2, "give a CID, or --size"),
        (["route", "plan", "--size", "many"], 2, "is not a size"),
        (["route", "plan", "--size", "1GiB", "--strategy", "geo"], 2, "needs --near"),
        (["route", "plan", "--size", "1GiB", "--near", "mars"], 2, "no place is declared for the region 'mars'"),
        (["route", "plan", "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"], 3, "is neither here"),
        (["probe", "nobody"], 3, "no backend named 'nobody'"),
        (["probe", "--size", "0"], 2, "1 byte at least"),
        (["probe", "--size", "2GiB"], 8, "1 byte to 256 MiB"),
        (["cost", "--forecast", "soon"], 2, "is not a duration"),
        (["cost", "--forecast", "5h"], 2, "a day at least"),
        (["price", "set", "nobody", "--free"], 3, "no backend named 'nobody'"),
        (["price", "set", "paris"], 2, "give at least one price"),
        (["price", "set", "paris", "--storage", "-1"], 2, "--storage is 0 or more"),
        (["price", "set", "paris", "--storage", "1", "--currency", "USD"], 10, "all prices are in EUR"),
        (["price", "rm", "paris"], 3, "nothing is declared"),
        (["price", "region", "x", "--at", "north"], 2, "LATITUDE,LONGITUDE"),
        (["price", "region", "x"], 2, "or --zone"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_status(
    places: dict[str, Path], capsys: pytest.CaptureFixture[str], words: list[str], status: int, said: str
) -> None:
    assert run(["store", *words, "--json"]) == status
    assert said in json.loads(capsys.readouterr().out)["error"]["detail"]


def test_a_place_that_was_replaced_is_measured_anew(node: Node, places: dict[str, Path], tmp_path: Path) -> None:
    measured(node, "paris", 1e6)
    node.store.backends.add("paris", "local", {"path": str(tmp_path)}, replace=True)
    assert node.store.placement.facts.measures.of("paris").read_bytes_s is None
