"""Policies: read, planned, put into the queue when they are due, and run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.errors import Conflict, Invalid, LimitReached, SomeFailed, TryAgain, Unavailable
from ipfs_accel_cli.services.migrate.choosing import choose, conflicts
from ipfs_accel_cli.services.migrate.policy import Policy, parse
from ipfs_accel_cli.services.migrate.schedule import Missed, Schedule, turn
from ipfs_accel_cli.services.migrate.world import PlaceFacts
from tests.unit.services.migrate.conftest import tree, write

BERLIN = ZoneInfo("Europe/Berlin")
NIGHTLY = """
name = "nightly"
source = "cold:"
destination = "lab:"
action = "copy"
match = "size>2"
priority = 3
[schedule]
cron = "30 2 * * *"
timezone = "Europe/Berlin"
missed = "once"
"""


class Clock:
    """A clock that stands until it is set."""

    def __init__(self, at: str) -> None:
        self.now = datetime.fromisoformat(at)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock(node: Node) -> Clock:
    made = Clock("2026-11-27T12:00:00+00:00")
    node.migrations.ledger.clock = made
    return made


@pytest.fixture
def nightly(node: Node, places: Path, clock: Clock, tmp_path: Path) -> str:
    (tmp_path / "nightly.toml").write_text(NIGHTLY)
    return node.migrations.policies.add(str(tmp_path / "nightly.toml")).name


def test_a_policy_becomes_a_job_once_each_night(node: Node, nightly: str, clock: Clock) -> None:
    assert node.migrations.policies.tick() == []
    clock.now += timedelta(days=1)
    (due,) = node.migrations.policies.tick()
    assert node.jobs.show(due.job).priority == 3
    assert node.migrations.policies.tick() == []
    assert node.migrations.policies.show(nightly).due_at == "2026-11-29T01:30:00+00:00"


def test_two_schedulers_on_one_home_put_it_into_the_queue_once(
    node: Node, nightly: str, clock: Clock, home: Path
) -> None:
    clock.now += timedelta(days=1)
    with Node(home) as other:
        other.migrations.ledger.clock = clock
        assert len(node.migrations.policies.tick()) + len(other.migrations.policies.tick()) == 1


def test_a_disabled_policy_is_never_due(node: Node, nightly: str, clock: Clock) -> None:
    node.migrations.policies.enable(nightly, enabled=False)
    clock.now += timedelta(days=3)
    assert node.migrations.policies.tick() == []
    assert node.migrations.policies.enable(nightly, enabled=True).due_at == "2026-12-01T01:30:00+00:00"


def test_a_time_that_the_clocks_leap_over_comes_when_they_have() -> None:
    schedule = Schedule("30 2 * * *", BERLIN)
    spring = schedule.after(datetime(2026, 3, 28, 12, tzinfo=UTC))
    assert spring == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    assert schedule.after(spring) == datetime(2026, 3, 30, 0, 30, tzinfo=UTC)


def test_a_time_that_comes_twice_is_one_run() -> None:
    schedule = Schedule("30 2 * * *", BERLIN)
    autumn = schedule.after(datetime(2026, 10, 24, 12, tzinfo=UTC))
    assert autumn in (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC))
    assert schedule.after(autumn) == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(("missed", "runs", "skipped"), [("once", 1, 3), ("skip", 0, 4), ("all", 4, 0)])
def test_missed_runs_are_made_up_for_as_the_policy_says(missed: Missed, runs: int, skipped: int) -> None:
    schedule = Schedule("0 3 * * *", ZoneInfo("UTC"), missed)
    due, now = datetime(2026, 1, 1, 3, tzinfo=UTC), datetime(2026, 1, 4, 12, tzinfo=UTC)
    found = turn(schedule, due, now)
    assert (found.runs, found.skipped, found.due_at) == (runs, skipped, datetime(2026, 1, 5, 3, tzinfo=UTC))


@settings(max_examples=60)
@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)),
    st.integers(0, 60 * 24 * 40),
    st.sampled_from(["once", "skip", "all"]),
)
def test_after_a_look_the_next_time_is_in_the_future(at: datetime, minutes: int, missed: Missed) -> None:
    schedule = Schedule("15 2 * * *", BERLIN, missed)
    now = at.replace(tzinfo=UTC)
    due = schedule.after(now - timedelta(minutes=minutes))
    found = turn(schedule, due, now)
    assert found.due_at > now
    assert found.runs <= 1 or missed == "all"


def test_a_policy_does_what_it_says(node: Node, nightly: str, places: Path) -> None:
    write(places / "cold", a=b"one", b=b"1")
    assert [one.name for one in node.migrations.policies.run(nightly)] == ["a.bin"]
    assert set(tree(places / "lab")) == {"a.bin"}
    (run,) = node.migrations.history().runs
    assert run.policy == "nightly"


def test_a_move_with_two_copies_leaves_the_source_when_both_stand(node: Node, places: Path, tmp_path: Path) -> None:
    (places / "far").mkdir()
    node.store.backends.add("far", "local", {"path": str(places / "far")})
    text = 'source = "cold:"\ndestination = ["lab:", "far:"]\naction = "move"\nmin_copies = 2\n'
    (tmp_path / "both.toml").write_text(text)
    write(places / "cold", a=b"one")
    list(node.migrations.policies.run(str(tmp_path / "both.toml")))
    assert (tree(places / "cold"), tree(places / "lab"), tree(places / "far")) == (
        {},
        {"a.bin": b"one"},
        {"a.bin": b"one"},
    )


def test_outside_of_its_window_a_policy_waits_until_it_opens(
    node: Node, places: Path, clock: Clock, tmp_path: Path
) -> None:
    window = '[window]\nhours = "22:00-06:00"\ntimezone = "UTC"\n'
    (tmp_path / "late.toml").write_text(f'source = "cold:"\ndestination = "lab:"\n{window}')
    with pytest.raises(TryAgain) as raised:
        list(node.migrations.policies.run(str(tmp_path / "late.toml")))
    assert raised.value.context["retry_after_s"] == 10 * 3600


def test_a_budget_that_would_be_exceeded_moves_nothing(node: Node, places: Path, tmp_path: Path) -> None:
    write(places / "cold", a=b"one")
    (tmp_path / "dear.toml").write_text('source = "cold:"\ndestination = "lab:"\n[budget]\ncost = 0.01\n')
    with pytest.raises(LimitReached):
        list(node.migrations.policies.run(str(tmp_path / "dear.toml")))
    assert tree(places / "lab") == {}


prices = st.lists(st.tuples(st.none() | st.floats(0, 10), st.booleans()), min_size=1, max_size=5)


@settings(max_examples=100)
@given(prices, st.integers(1, 3))
def test_no_place_that_was_passed_over_is_cheaper_than_a_chosen_one(
    known: list[tuple[float | None, bool]], copies: int
) -> None:
    facts = [PlaceFacts(f"p{n}", storage=price, takes=takes) for n, (price, takes) in enumerate(known)]
    policy = Policy("x", "cold:", tuple(f"{one.name}:" for one in facts), min_copies=copies, action="move")
    found = choose(policy, facts, 1 << 30, 1)
    able = sorted(float("inf") if one.storage is None else one.storage for one in facts if one.takes)
    if len(able) < copies:
        assert found.refused
        return
    by_name = {f"{one.name}:": float("inf") if one.storage is None else one.storage for one in facts}
    assert [by_name[name] for name in found.chosen] == able[:copies]


def test_policies_that_undo_each_other_are_told() -> None:
    moves = Policy("away", "cold:a", ("lab:",), action="move")
    back = Policy("back", "lab:", ("cold:a/b",))
    wipes = Policy("wipes", "far:", ("lab:",), action="sync", delete=True)
    apart = Policy("apart", "one:", ("two:",))
    assert {(one, other) for one, other, _ in conflicts([moves, back, wipes, apart])} == {
        ("away", "back"),
        ("wipes", "away"),
    }


@pytest.mark.parametrize(
    "text",
    [
        'source = "a:"',
        'source = "a:"\ndestination = "b:"\nactoin = "copy"',
        'source = "a:"\ndestination = "b:"\naction = "link"',
        'source = "a:"\ndestination = "b:"\nmatch = "size>>1"',
        'source = "a:"\ndestination = "b:"\nmin_copies = 4',
        'source = "a:"\ndestination = "b:"\n[schedule]\ncron = "61 * * * *"',
        'source = "a:"\ndestination = "b:"\n[schedule]\ncron = "* * * * *"\ntimezone = "Mars/One"',
        'source = "a:"\ndestination = "b:"\n[window]\nhours = "6-7"',
        "source =",
    ],
)
def test_what_is_no_policy_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        parse(text, "x")


def test_a_known_name_is_not_replaced_unless_told(node: Node, nightly: str, tmp_path: Path) -> None:
    with pytest.raises(Conflict):
        node.migrations.policies.add(str(tmp_path / "nightly.toml"))
    assert node.migrations.policies.add(str(tmp_path / "nightly.toml"), replace=True).name == nightly
    assert node.migrations.policies.remove(nightly).name == nightly
    assert node.migrations.policies.ls().policies == []


def test_what_only_a_dying_place_holds_is_brought_elsewhere(node: Node, places: Path, tmp_path: Path) -> None:
    write(tmp_path / "made", a=b"one")
    write(tmp_path / "also", b=b"two")
    only, both = (one.cid for one in node.store.put([tmp_path / "made", tmp_path / "also"]))
    for cid, names in ((only, ["cold:"]), (both, ["cold:", "lab:"])):
        list(node.store.exchange.copy(cid, names))
    node.store.remove([only, both])
    node.store.gc()
    planned = {one.cid: one.outcome for one in node.migrations.rescue("cold", ["lab:"], dry_run=True)}
    assert planned == {only: "planned", both: "safe"}
    done = {one.cid: one.outcome for one in node.migrations.rescue("cold", ["lab:"])}
    assert done == {only: "rescued", both: "safe"}
    node.store.exchange.verify([only], "lab")


def test_what_a_place_that_is_down_held_is_named_as_lost(node: Node, places: Path, tmp_path: Path) -> None:
    write(tmp_path / "made", a=b"one")
    (stored,) = node.store.put([tmp_path / "made"])
    list(node.store.exchange.copy(stored.cid, ["cold:"]))
    node.store.remove([stored.cid])
    node.store.gc()
    (places / "cold").rename(places / "gone")
    with pytest.raises(SomeFailed) as raised:
        list(node.migrations.rescue("cold", ["lab:"]))
    assert [one["pointer"] for one in raised.value.errors] == [stored.cid]
    node.store.exchange.copies.forget_all("cold")
    with pytest.raises(Unavailable):
        list(node.migrations.rescue("cold", ["lab:"]))
