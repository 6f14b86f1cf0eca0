"""The circuit breaker, with the time as a number."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ipfs_accel_cli.core import breaker
from ipfs_accel_cli.core.breaker import COOLING_SECONDS, FAILURES, LONGEST_COOLING_SECONDS, Breaker


def opened(now: float = 0.0) -> Breaker:
    one = Breaker()
    for _ in range(FAILURES):
        one = one.failed(now)
    return one


def test_it_opens_after_some_failures_in_a_row_and_not_before() -> None:
    one = Breaker()
    for _ in range(FAILURES - 1):
        one = one.failed(0)
    assert one.state(0) == "closed"
    assert one.succeeded().failed(0).state(0) == "closed"
    assert one.failed(0).state(0) == "open"


def test_after_the_cooling_one_probe_decides() -> None:
    one = opened()
    assert one.state(COOLING_SECONDS - 1) == "open"
    assert one.state(COOLING_SECONDS) == "half-open"

    probing = one.began(COOLING_SECONDS)
    assert probing.state(COOLING_SECONDS + 1) == "open"
    assert probing.succeeded().state(COOLING_SECONDS + 1) == "closed"
    assert probing.failed(COOLING_SECONDS + 1).state(COOLING_SECONDS + 2) == "open"


def test_a_probe_that_never_ends_is_not_waited_for_for_ever() -> None:
    probing = opened().began(COOLING_SECONDS)
    assert probing.state(COOLING_SECONDS + breaker.PROBE_SECONDS) == "half-open"


def test_it_cools_longer_each_time_but_not_without_end() -> None:
    one, now, waits = opened(), 0.0, []
    for _ in range(20):
        assert one.open_until is not None
        waits.append(one.open_until - now)
        now = one.open_until
        one = one.began(now).failed(now)
    assert waits[:3] == [COOLING_SECONDS, 2 * COOLING_SECONDS, 4 * COOLING_SECONDS]
    assert max(waits) == LONGEST_COOLING_SECONDS


def test_the_first_that_is_well_is_asked_first() -> None:
    assert breaker.order([Breaker(), Breaker(), Breaker()], 0) == [0, 1, 2]
    assert breaker.order([opened(), Breaker()], 1) == [1]
    assert breaker.order([opened(), Breaker()], COOLING_SECONDS) == [0, 1]
    assert breaker.order([], 0) == []


@settings(deadline=None)
@given(st.lists(st.lists(st.tuples(st.booleans(), st.floats(0, 1000)), max_size=8), min_size=1, max_size=4))
def test_somebody_is_always_asked(histories: list[list[tuple[bool, float]]]) -> None:
    now, breakers = 0.0, []
    for history in histories:
        one = Breaker()
        for well, passed in history:
            now += passed
            one = one.began(now)
            one = one.succeeded() if well else one.failed(now)
        breakers.append(one)
    places = breaker.order(breakers, now)
    assert places == sorted(set(places))
    assert places
