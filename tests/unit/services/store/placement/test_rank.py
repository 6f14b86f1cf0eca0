"""Which place comes first, and that this follows from what is known and nothing else."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipfs_accel_cli.services.store.placement.geography import Point
from ipfs_accel_cli.services.store.placement.prices import Price
from ipfs_accel_cli.services.store.placement.rank import EXPLORATION, rank, refusal
from ipfs_accel_cli.services.store.placement.wants import CLASSES, Candidate, Ranked, Want

MONEY = st.floats(0, 10)
POINTS = st.builds(Point, st.floats(-90, 90), st.floats(-180, 180))
PRICES = st.builds(
    Price, *(st.none() | MONEY for _ in range(5)), minimum_days=st.none() | st.sampled_from([0.0, 30.0, 90.0])
)
CANDIDATE = st.builds(
    Candidate,
    name=st.sampled_from("abcdef"),
    stored_bytes=st.integers(0, 1 << 40),
    price=PRICES,
    point=st.none() | POINTS,
    zone=st.sampled_from(["", "x", "y"]),
    latency_s=st.none() | st.floats(1e-4, 10),
    write_bytes_s=st.none() | st.floats(1e3, 1e9),
    read_bytes_s=st.none() | st.floats(1e3, 1e9),
    fault_share=st.none() | st.floats(0, 1),
    unreachable=st.sampled_from(["", "", "", "it is down"]),
    takes=st.booleans(),
    holds=st.booleans(),
    at_once=st.booleans(),
    storage_class=st.none() | st.sampled_from(CLASSES),
    max_bytes=st.none() | st.integers(0, 1 << 40),
    room_bytes=st.none() | st.integers(-5, 1 << 40),
)
CANDIDATES = st.lists(CANDIDATE, unique_by=lambda one: one.name, min_size=1)
WANTS = st.builds(
    Want,
    size_bytes=st.integers(0, 1 << 38),
    files=st.integers(1, 1000),
    storage_class=st.sampled_from(CLASSES),
    strategy=st.sampled_from(["balanced", "cost", "speed", "geo"]),
    near=st.none() | POINTS,
    copies=st.integers(1, 4),
    spread=st.booleans(),
)


def names(ranked: list[Ranked]) -> list[str]:
    return [one.name for one in ranked]


def position(ranked: list[Ranked], name: str) -> int:
    return names(ranked).index(name)


@given(CANDIDATES, WANTS, st.randoms(use_true_random=False))
def test_the_order_in_which_places_are_given_means_nothing(
    candidates: list[Candidate], want: Want, chance: random.Random
) -> None:
    mixed = list(candidates)
    chance.shuffle(mixed)
    assert rank(mixed, want) == rank(candidates, want)


@given(CANDIDATES, WANTS)
def test_those_that_cannot_take_it_come_last_and_are_never_chosen(candidates: list[Candidate], want: Want) -> None:
    ranked = rank(candidates, want)
    assert sorted(names(ranked)) == sorted(one.name for one in candidates)
    refused = [bool(one.refused) for one in ranked]
    assert refused == sorted(refused)
    assert not any(one.chosen for one in ranked if one.refused)
    assert {one.name for one in ranked if one.refused} == {one.name for one in candidates if refusal(one, want)}


@given(CANDIDATES, WANTS)
def test_as_many_as_are_wanted_are_chosen_and_with_spread_each_in_a_zone_of_its_own(
    candidates: list[Candidate], want: Want
) -> None:
    known = {one.name: one for one in candidates}
    chosen = [known[one.name] for one in rank(candidates, want) if one.chosen]
    able = [one for one in candidates if not refusal(one, want) and not one.holds]
    assert len(chosen) <= want.copies
    assert not any(one.holds for one in chosen)
    zones = [one.zone for one in chosen if one.zone]
    if want.spread:
        assert len(zones) == len(set(zones))
    else:
        assert len(chosen) == min(want.copies, len(able))


@given(CANDIDATES, WANTS, st.data())
def test_a_place_that_grows_dearer_never_comes_further_up(
    candidates: list[Candidate], want: Want, data: st.DataObject
) -> None:
    one = data.draw(st.sampled_from(candidates))
    word = data.draw(st.sampled_from(["storage", "egress", "ingress", "puts", "gets"]))
    before = getattr(one.price, word)
    if before is None:
        return
    dearer = replace(one, price=replace(one.price, **{word: before + data.draw(MONEY)}))
    changed = [dearer if other is one else other for other in candidates]
    assert position(rank(changed, want), one.name) >= position(rank(candidates, want), one.name)


@given(CANDIDATES, WANTS, st.data())
def test_a_place_that_grows_slower_never_comes_further_up(
    candidates: list[Candidate], want: Want, data: st.DataObject
) -> None:
    one = data.draw(st.sampled_from([one for one in candidates if one.latency_s is not None] or [None]))
    if one is None:
        return
    slower = replace(one, latency_s=one.latency_s + data.draw(st.floats(0, 10)))
    changed = [slower if other is one else other for other in candidates]
    assert position(rank(changed, want), one.name) >= position(rank(candidates, want), one.name)


@given(CANDIDATE, st.lists(st.integers(0, 5), min_size=2, max_size=6), WANTS)
def test_equal_places_come_by_the_bytes_that_they_hold_and_then_by_name(
    like: Candidate, held: list[int], want: Want
) -> None:
    like = replace(like, takes=True, unreachable="", max_bytes=None, room_bytes=None, storage_class=None, holds=False)
    equals = [replace(like, name=f"n{number}", stored_bytes=size) for number, size in enumerate(held)]
    expected = [one.name for one in sorted(equals, key=lambda one: (one.stored_bytes, one.name))]
    assert names(rank(reversed(equals), want)) == expected


def test_what_is_not_known_is_told_as_such_and_counts_as_the_middle() -> None:
    (one,) = rank([Candidate("new")], Want(1 << 30))
    assert {part.name: (part.value, part.score) for part in one.parts} == dict.fromkeys(
        ("cost", "speed", "health"), (None, 0.5)
    )
    assert one.score == 0.5 + EXPLORATION
    assert any(reason.startswith("exploration: +0.1") for reason in one.reasons)
    assert "cost: unknown: its prices are not declared; ipfs-accel store price set new" in one.reasons


def test_what_is_free_is_not_what_nobody_declared() -> None:
    free, unknown = Candidate("b-free", price=Price(0, 0, 0, 0, 0, 0)), Candidate("a-unknown")
    costly = Candidate("c-costly", price=Price(0.02, 0.09, 0, 0, 0, 0))
    ranked = rank([unknown, costly, free], Want(1 << 30, strategy="cost"))
    assert names(ranked) == ["b-free", "a-unknown", "c-costly"]
    assert ranked[0].parts[0].value == 0


COLD = Candidate("cold", price=Price(0.001, 0.2, 0, 0, 0, 0), latency_s=0.5, read_bytes_s=1e6, write_bytes_s=1e6)
FAST = Candidate("fast", price=Price(0.05, 0.05, 0, 0, 0, 0), latency_s=0.01, read_bytes_s=1e8, write_bytes_s=1e8)


@pytest.mark.parametrize(("storage_class", "first"), [("hot", "fast"), ("archive", "cold")])
def test_the_class_decides_between_cheap_reads_and_cheap_keeping(storage_class: str, first: str) -> None:
    assert names(rank([COLD, FAST], Want(10 << 30, storage_class=storage_class)))[0] == first


def test_many_small_files_go_where_they_travel_in_one_request() -> None:
    each = Candidate("a-each", latency_s=0.1, read_bytes_s=1e8, write_bytes_s=1e8)
    at_once = replace(each, name="b-once", at_once=True, write_bytes_s=5e7)
    assert names(rank([each, at_once], Want(1 << 20, strategy="speed")))[0] == "a-each"
    assert names(rank([each, at_once], Want(1 << 20, files=1000, strategy="speed")))[0] == "b-once"


def test_the_nearest_comes_first_where_that_is_what_counts() -> None:
    frankfurt, sydney = (
        Candidate("z-frankfurt", point=Point(50.1, 8.7)),
        Candidate("a-sydney", point=Point(-33.9, 151.2)),
    )
    ranked = rank([sydney, frankfurt], Want(1, strategy="geo", near=Point(48.9, 2.4)))
    assert names(ranked)[0] == "z-frankfurt"
    assert any(reason.startswith("distance: 4") and reason.endswith("km away") for reason in ranked[0].reasons)


def test_with_spread_a_zone_that_has_a_copy_is_passed_over_with_its_name() -> None:
    places = [Candidate("a", zone="eu"), Candidate("b", zone="eu"), Candidate("c", zone="us"), Candidate("d")]
    ranked = rank(places, Want(1, copies=3, spread=True))
    assert [one.name for one in ranked if one.chosen] == ["a", "c", "d"]
    assert {one.name: one.passed_over for one in ranked}["b"] == "zone eu has a copy already"
    again = rank(places, Want(1, copies=1, spread=True, zones=frozenset(["us"])))
    assert [one.name for one in again if one.chosen] == ["a"]


@pytest.mark.parametrize(
    ("candidate", "reason"),
    [
        (Candidate("x", takes=False), "takes no content"),
        (Candidate("x", unreachable="it was down 3 s ago"), "down 3 s ago"),
        (Candidate("x", max_bytes=1 << 20), "more than the 1.0 MiB"),
        (Candidate("x", room_bytes=1 << 20), "1.0 MiB of its declared capacity"),
        (Candidate("x", storage_class="archive"), "declared for archive content"),
        (Candidate("x", types=("image/*",)), "declared for image/*, and this is text/plain"),
    ],
)
def test_who_is_refused_is_told_why(candidate: Candidate, reason: str) -> None:
    assert reason in refusal(candidate, Want(2 << 20, type="text/plain"))
    (ranked,) = rank([candidate], Want(2 << 20, type="text/plain"))
    assert reason in ranked.refused


def test_a_folder_is_as_large_as_its_largest_file_for_a_place_with_a_limit() -> None:
    limited = Candidate("x", max_bytes=1 << 20, types=("image/*", "directory"))
    assert not refusal(limited, Want(9 << 20, files=9, largest_bytes=1 << 20, type="directory"))
