"""Merging three ways: the same from either side, and nothing that one side said is lost."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ipfs_accel_cli.services.store.metadata.merging import ABSENT, UNKNOWN, Change, compare, merge, same

VALUES = st.one_of(st.none(), st.booleans(), st.integers(0, 2), st.sampled_from([0.0, 1.0, "", "a"]), st.just([1]))
ENTRIES = st.dictionaries(st.sampled_from("abcd"), VALUES)


def alike(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)


@given(ENTRIES, ENTRIES, ENTRIES)
def test_from_either_side_it_is_the_same(base: Any, ours: Any, theirs: Any) -> None:
    one, other = merge(base, ours, theirs), merge(base, theirs, ours)

    swapped = {"ours": "theirs", "theirs": "ours", "both": "both"}
    mirrored = [(c.key, swapped[c.who], c.theirs, c.ours) for c in compare(base, theirs, ours)]
    assert [(c.key, c.who, c.ours, c.theirs) for c in compare(base, ours, theirs)] == mirrored
    assert [c.key for c in one.conflicts] == [c.key for c in other.conflicts]
    keys = {c.key for c in one.conflicts}
    assert alike(
        {key: value for key, value in one.entries.items() if key not in keys},
        {key: value for key, value in other.entries.items() if key not in keys},
    )
    assert alike(merge(base, ours, theirs, "ours").entries, merge(base, theirs, ours, "theirs").entries)


@given(ENTRIES, ENTRIES, ENTRIES)
def test_every_change_of_a_side_is_in_the_result_or_a_conflict(base: Any, ours: Any, theirs: Any) -> None:
    merged = merge(base, ours, theirs)

    conflicts = {change.key for change in merged.conflicts}
    for side in (ours, theirs):
        for key in {*base, *side}:
            value = side.get(key, ABSENT)
            changed = not (value is base.get(key, ABSENT) or same(value, base.get(key, ABSENT)))
            if changed and key not in conflicts:
                now = merged.entries.get(key, ABSENT)
                assert now is value or same(now, value)


@given(ENTRIES, ENTRIES, ENTRIES)
def test_what_neither_side_changed_stays(base: Any, ours: Any, theirs: Any) -> None:
    merged = merge(base, ours, theirs)

    for key in {*base, *ours, *theirs}:
        before = base.get(key, ABSENT)
        if all(same(before, side.get(key, ABSENT)) for side in (ours, theirs)):
            now = merged.entries.get(key, ABSENT)
            assert now is before or same(now, before)


@given(ENTRIES, ENTRIES)
def test_merging_the_same_again_changes_nothing(base: Any, ours: Any) -> None:
    assert alike(merge(base, ours, ours).entries, ours)
    assert alike(merge(base, ours, base).entries, ours)
    assert alike(merge(base, base, ours).entries, ours)
    assert merge(None, ours, ours).conflicts == ()


@given(ENTRIES, ENTRIES)
def test_without_a_base_every_difference_is_a_conflict(ours: Any, theirs: Any) -> None:
    differing = {key for key in {*ours, *theirs} if not same(ours.get(key, ABSENT), theirs.get(key, ABSENT))}

    assert {change.key for change in merge(None, ours, theirs).conflicts} == differing


def test_numbers_that_python_calls_equal_are_three_values() -> None:
    assert [change.who for change in compare({"a": 1}, {"a": True}, {"a": 1.0})] == ["both"]
    assert merge({"a": 1}, {"a": 1.0}, {"a": 1}).conflicts == ()


def test_a_key_that_one_side_removed_and_the_other_changed_is_a_conflict() -> None:
    merged = merge({"a": 1}, {}, {"a": 2})

    assert merged.conflicts == (Change("a", "both", 1, ABSENT, 2),)
    assert merge({"a": 1}, {}, {"a": 2}, "ours").entries == {}
    assert merge({"a": UNKNOWN}, {"a": 1}, {"a": 2}).conflicts[0].base is UNKNOWN
