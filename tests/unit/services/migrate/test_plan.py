"""Plans, prices and timetables are functions of values."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.services.migrate.model import Listed
from ipfs_accel_cli.services.migrate.pace import rate_at, timetable
from ipfs_accel_cli.services.migrate.plan import compared, estimate, plan
from ipfs_accel_cli.services.migrate.world import PlaceFacts

sides = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from([b"1" * 32, b"2" * 32]), max_size=6)


def listed(side: dict[str, bytes]) -> list[Listed]:
    return [Listed(name, "file", name, 9, digest) for name, digest in side.items()]


@settings(max_examples=80)
@given(sides, sides)
def test_a_sync_that_is_carried_out_has_nothing_left_to_do(source: dict[str, bytes], there: dict[str, bytes]) -> None:
    after = dict(there)
    for step in plan(listed(source), listed(there), "sync", same=compared, delete=True):
        if step.todo in ("copy", "replace"):
            after[step.name] = source[step.name]
        elif step.todo == "delete":
            del after[step.name]
    assert after == source


@settings(max_examples=80)
@given(sides, sides)
def test_a_copy_never_takes_anything_away(source: dict[str, bytes], there: dict[str, bytes]) -> None:
    steps = list(plan(listed(source), listed(there), "copy", same=compared, immutable=True))
    assert {step.todo for step in steps} <= {"", "copy"}
    assert {step.name for step in steps} == source.keys() | there.keys()


@settings(max_examples=80)
@given(sides, sides)
def test_a_move_ends_with_each_item_at_one_place_at_least(source: dict[str, bytes], there: dict[str, bytes]) -> None:
    steps = list(plan(listed(source), listed(there), "move", same=compared))
    assert {step.name for step in steps if step.todo} == set(source)


def test_costs_and_time_follow_from_what_is_declared_and_measured() -> None:
    source = PlaceFacts("cold", 0.1, 50e6, 100e6, storage=0.01, egress=0.09, gets=1.0)
    target = PlaceFacts("lab", 0.1, 50e6, 100e6, storage=0.02, ingress=0.0, puts=5.0)
    steps = list(plan([Listed(str(n), "file", str(n), 1 << 29) for n in range(2)], [], "copy", same=compared))
    found = estimate(steps, source, target, transfers=2)
    assert found.transfer_cost == pytest.approx(0.09 + 2 * 0.001 + 2 * 0.005)
    assert found.month_cost == pytest.approx(0.02)
    assert found.seconds == pytest.approx((1 << 30) / 50e6 + 0.2, abs=0.001)
    assert found.month_saving == pytest.approx(-0.01)
    assert found.break_even_months is None
    unknown = estimate(steps, source, PlaceFacts("lab"), transfers=2)
    assert unknown.transfer_cost is None
    assert unknown.seconds is None
    assert "lab: ingress, puts, storage not declared: ipfs-accel store price set lab" in unknown.lacks


def test_a_move_to_a_cheaper_class_pays_after_some_months() -> None:
    source = PlaceFacts("warm", storage=0.023, egress=0.0, gets=0.0)
    steps = list(plan([Listed("a", "file", "a", 10 << 30)], [], "move", same=compared))
    found = estimate(steps, source, PlaceFacts("glacier", storage=0.003, ingress=0.05, puts=0.0), transfers=2)
    assert found.month_saving == pytest.approx(0.2)
    assert found.break_even_months == pytest.approx(2.5)
    assert estimate(steps, source, PlaceFacts("same", storage=0.023, ingress=0.05), 2).break_even_months is None
    assert estimate(steps, source, PlaceFacts("unknown"), 2).month_saving is None


@pytest.mark.parametrize(
    ("at", "rate"),
    [
        ("2026-11-27T07:59", None),
        ("2026-11-27T08:00", 524288),
        ("2026-11-27T18:59", 524288),
        ("2026-11-27T19:00", None),
    ],
)
def test_a_timetable_holds_at_each_time_of_day(at: str, rate: int | None) -> None:
    assert rate_at(timetable("08:00,512k 19:00,off"), datetime.fromisoformat(at)) == rate


def test_a_timetable_may_name_days() -> None:
    changes = timetable("Mon-08:00,1M Fri-20:00,off")
    assert rate_at(changes, datetime.fromisoformat("2026-11-26T03:00")) == 1 << 20
    assert rate_at(changes, datetime.fromisoformat("2026-11-29T03:00")) is None


@pytest.mark.parametrize("text", ["25:00,1M", "08:00", "08:00,fast", "x", "08:00,5"])
def test_what_is_no_timetable_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        timetable(text)
