"""S3-FIFO: its bounds, and what it keeps."""

from __future__ import annotations

from collections import OrderedDict

from hypothesis import given, settings
from hypothesis import strategies as st

from ipfs_accel_cli.backends.wrap.s3fifo import S3Fifo

STEPS = st.lists(
    st.tuples(st.sampled_from(["use", "use", "use", "drop"]), st.integers(0, 25), st.integers(0, 30)), max_size=200
)


@settings(deadline=None)
@given(st.integers(1, 100), STEPS)
def test_whatever_happens_the_bounds_hold_and_the_books_balance(room: int, steps: list[tuple[str, int, int]]) -> None:
    policy, held = S3Fifo[int](room), dict[int, int]()
    asked = hits = 0
    for step, key, size in steps:
        if step == "drop":
            policy.drop(key)
            held.pop(key, None)
        else:
            asked += 1
            was_there = policy.ask(key)
            assert was_there == (key in held)
            hits += was_there
            if not was_there:
                held[key] = size
                for gone in policy.add(key, size):
                    del held[gone]
        assert policy.size == sum(held.values()) <= room
        assert len(policy) == len(held)
        assert all(one in policy for one in held)
        assert policy.ghosts <= max(1, room)
        assert (policy.hits, policy.hits + policy.misses) == (hits, asked)


@settings(deadline=None)
@given(st.integers(1, 50), st.lists(st.tuples(st.integers(0, 99), st.integers(0, 20)), unique_by=lambda one: one[0]))
def test_what_was_held_before_is_taken_in_as_far_as_there_is_room(room: int, entries: list[tuple[int, int]]) -> None:
    policy = S3Fifo[int](room)
    gone = policy.restore(entries)
    assert policy.size <= room
    assert sorted(gone + [key for key, _ in entries if key in policy]) == sorted(key for key, _ in entries)


def used(policy: S3Fifo[str], *keys: str) -> list[bool]:
    found = []
    for key in keys:
        found.append(policy.ask(key))
        policy.add(key, 1)
    return found


def test_what_is_asked_for_twice_while_new_survives_a_scan_and_the_scan_does_not() -> None:
    policy = S3Fifo[str](10)
    used(policy, "hot", "hot", "hot")
    used(policy, *(f"scan {number}" for number in range(100)))
    assert "hot" in policy
    assert "scan 50" not in policy


def test_what_returns_while_it_is_remembered_goes_to_the_main_queue() -> None:
    policy = S3Fifo[str](10)
    used(policy, *(f"first {number}" for number in range(11)))
    assert "first 0" not in policy
    used(policy, "first 0")
    used(policy, *(f"scan {number}" for number in range(100)))
    assert "first 0" in policy


def test_what_is_larger_than_all_room_is_not_let_in() -> None:
    policy = S3Fifo[str](10)
    used(policy, "one")
    assert policy.add("huge", 11) == ["huge"]
    assert "one" in policy


def test_models_that_are_used_again_outlive_scans_better_than_with_lru() -> None:
    trace = []
    for turn in range(30):
        trace += [f"hot {number}" for number in range(40)] * 2
        trace += [f"scan {turn} {number}" for number in range(100)]
    policy, lru, lru_hits = S3Fifo[str](100), OrderedDict[str, None](), 0
    used(policy, *trace)
    for key in trace:
        lru_hits += key in lru
        lru[key] = None
        lru.move_to_end(key)
        if len(lru) > 100:
            lru.popitem(last=False)
    assert policy.hits > lru_hits
