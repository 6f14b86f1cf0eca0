"""Versions that know their parents: heads, what two had in common, and joining several."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipfs_accel_cli.content import dagcbor
from ipfs_accel_cli.content.cid import CID, RAW
from ipfs_accel_cli.core.errors import Invalid, LimitReached, MalformedContent
from ipfs_accel_cli.services.store.metadata.history import ancestors, base, changes, heads, join, oldest_first
from ipfs_accel_cli.services.store.metadata.merging import ABSENT, UNKNOWN, same
from ipfs_accel_cli.services.store.metadata.version import Version

SUBJECT = CID.of(b"something", RAW)


class Writing:
    """A history that is written by hand."""

    def __init__(self) -> None:
        self.history: dict[CID, Version] = {}

    def add(self, entries: dict[str, Any], *parents: CID) -> CID:
        version = Version(SUBJECT, entries, parents)
        cid, _ = version.encode()
        self.history[cid] = version
        return cid


def test_what_both_began_with_is_the_newest_version_in_common() -> None:
    w = Writing()
    first = w.add({"a": 1})
    second = w.add({"a": 2}, first)
    ours, theirs = w.add({"a": 2, "b": 1}, second), w.add({"a": 3}, second)

    assert base(w.history, ours, theirs) == {"a": 2}
    assert base(w.history, ours, second) == {"a": 2}
    assert heads(w.history) == sorted([ours, theirs], key=bytes)
    joined = join(w.history, ours, [theirs])
    assert joined.head is not None
    assert joined.made[joined.head].entries == {"a": 3, "b": 1}
    assert oldest_first(w.history, w.history)[:2] == [first, second]


def test_versions_that_crossed_each_other_are_merged_to_see_what_they_began_with() -> None:
    w = Writing()
    one, other = w.add({"a": 1}), w.add({"b": 1})
    ours = w.add({"a": 5, "b": 1}, one, other)
    theirs = w.add({"a": 1, "b": 1, "c": 1}, one, other)

    assert base(w.history, ours, theirs) == {"a": 1, "b": 1}
    joined = join(w.history, ours, [theirs])
    assert joined.head is not None
    assert joined.made[joined.head].entries == {"a": 5, "b": 1, "c": 1}


def test_what_conflicted_in_the_versions_they_began_with_is_not_known() -> None:
    w = Writing()
    one, other = w.add({"a": 1}), w.add({"a": 2})
    ours, theirs = w.add({"a": 1}, one, other), w.add({"a": 2}, one, other)

    assert base(w.history, ours, theirs) == {"a": UNKNOWN}
    joined = join(w.history, ours, [theirs])
    assert ([change.key for change in joined.conflicts], joined.made) == (["a"], {})


def test_where_a_version_is_lost_no_change_is_taken_for_granted() -> None:
    w = Writing()
    lost = w.add({"a": 1})
    ours, theirs = w.add({"a": 2}, lost), w.add({"a": 1}, lost)
    del w.history[lost]

    assert base(w.history, ours, theirs) is None
    assert [change.key for change in join(w.history, ours, [theirs]).conflicts] == ["a"]


def test_what_came_after_ours_is_taken_and_what_came_before_is_not() -> None:
    w = Writing()
    first = w.add({"a": 1})
    second = w.add({}, first)

    assert join(w.history, first, [second]).head == second
    assert join(w.history, second, [first]).head == second
    assert join(w.history, None, [second]).head == second
    assert [change.who for change in changes(w.history, first, None)] == ["ours"]
    assert [change.who for change in changes(w.history, None, first)] == ["theirs"]


KEYS = st.sampled_from("abc")
STEPS = st.lists(st.tuples(st.integers(0, 2), KEYS, st.one_of(st.none(), st.integers(0, 9))), max_size=12)


@settings(max_examples=50, deadline=None)
@given(STEPS, STEPS)
def test_machines_that_sync_in_turn_end_with_one_version_and_lose_no_last_word(before: Any, after: Any) -> None:
    """Three machines write; each then syncs with one place, twice around. Conflicts go to the machine that syncs."""
    w = Writing()
    machines: list[CID | None] = [None, None, None]

    def write(steps: list[tuple[int, str, int | None]]) -> None:
        for machine, key, value in steps:
            head = machines[machine]
            entries = dict(w.history[head].entries) if head is not None else {}
            entries.pop(key, None)
            if value is not None:
                entries[key] = value
            machines[machine] = w.add(entries, *([head] if head is not None else []))

    there: set[CID] = set()

    def sync(machine: int) -> None:
        ours, theirs = machines[machine], heads({cid: w.history[cid] for cid in there})
        joined = join(w.history, ours, theirs, "ours")
        found = [{change.key: change for change in changes(w.history, ours, head)} for head in theirs]
        w.history |= joined.made
        machines[machine] = joined.head
        if joined.head is None:
            return
        there.update(ancestors(w.history, joined.head))
        for key in set().union(*found):
            told = [each[key] for each in found if key in each]
            if all(change.who in ("ours", "both") for change in told):
                now = w.history[joined.head].entries.get(key, ABSENT)
                assert now is told[0].ours or same(now, told[0].ours)

    write(before)
    for machine in (0, 1, 2, 0, 1):
        sync(machine)
    write(after)
    for machine in (2, 1, 0, 2, 1):
        sync(machine)
    assert len(set(machines)) == 1
    assert heads({cid: w.history[cid] for cid in there}) == [one for one in machines[:1] if one is not None]


@given(STEPS)
def test_two_machines_that_merge_the_same_make_the_same_version(steps: Any) -> None:
    w = Writing()
    root = w.add({"z": 0})
    sides = [root, root]
    for machine, key, value in steps:
        side = machine % 2
        entries = dict(w.history[sides[side]].entries) | {f"{side}{key}": value}
        sides[side] = w.add(entries, sides[side])

    assert join(w.history, sides[0], [sides[1]]).head == join(w.history, sides[1], [sides[0]]).head


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "ipfs-accel/meta@2"},
        {"subject": "text"},
        {"parents": ["text"]},
        {"entries": {"a": b"bytes"}},
        {"entries": {"a": [SUBJECT]}},
        {"entries": {"": 1}},
        {"entries": {"a=b": 1}},
        {"more": 1},
    ],
)
def test_what_is_no_version_is_refused(change: dict[str, Any]) -> None:
    document = {"schema": "ipfs-accel/meta@1", "subject": SUBJECT, "parents": [], "entries": {"a": 1}}
    assert Version.decode(dagcbor.encode(document)).entries == {"a": 1}

    with pytest.raises(MalformedContent):
        Version.decode(dagcbor.encode(document | change))


def test_what_cannot_be_kept_is_not_made() -> None:
    for entries in ({"a": 2**64}, {"a": float("inf")}, {"a": b"x"}, {"a\n": 1}):
        with pytest.raises(Invalid):
            Version(SUBJECT, entries).encode()
    with pytest.raises(LimitReached):
        Version(SUBJECT, {"a": "x" * 300_000}).encode()
