"""The circuit breaker."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ipfs_accel_cli.core.breaker import Breaker, Rules, cool_down, order

RULES = Rules(failures=3, cool_down_s=10, longest_s=35)


def opened(now: float) -> Breaker:
    breaker = Breaker(RULES)
    for _ in range(RULES.failures):
        breaker = breaker.failed(now)
    return breaker


def test_it_opens_after_so_many_failures_in_a_row() -> None:
    breaker = Breaker(RULES).failed(0).failed(1)
    assert breaker.state(1) == "closed"
    assert breaker.succeeded().failed(2).failed(3).state(3) == "closed"
    assert breaker.failed(2).state(2) == "open"
    assert not breaker.failed(2).may(11.9)


def test_after_a_while_one_call_may_try_and_no_second() -> None:
    breaker = opened(0)
    assert breaker.state(10) == "half-open"
    trying = breaker.begun(10)
    assert not trying.may(10)
    assert trying.succeeded().state(10) == "closed"
    assert trying.succeeded().failures == 0


def test_each_trial_that_fails_doubles_the_wait_up_to_a_bound() -> None:
    breaker, now, waits = opened(0), 0.0, []
    for _ in range(4):
        waits.append(breaker.until - now)
        now = breaker.until
        breaker = breaker.begun(now).failed(now)
    assert waits == [10, 20, 35, 35]


def test_calls_that_began_before_it_opened_change_nothing() -> None:
    breaker = opened(0)
    assert breaker.failed(1) == breaker
    assert breaker.succeeded() == breaker


def test_a_trial_that_is_never_heard_of_makes_room_for_another() -> None:
    assert opened(0).begun(10).may(20)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["ask", "well", "ill"]), st.floats(0, 50)), max_size=60))
def test_it_never_stays_open_for_longer_than_the_bound(events: list[tuple[str, float]]) -> None:
    breaker, now = Breaker(RULES), 0.0
    for event, later in events:
        now += later
        if event == "ask" and breaker.may(now):
            breaker = breaker.begun(now)
        elif event == "well":
            breaker = breaker.succeeded()
        elif event == "ill":
            breaker = breaker.failed(now)
        assert breaker.may(now + RULES.longest_s)
        assert breaker.until <= now + RULES.longest_s
        if breaker.state(now) == "closed":
            assert breaker.failures < RULES.failures


def test_a_thousand_openings_are_no_trouble() -> None:
    assert cool_down(Rules(), 1000) == Rules().longest_s


def test_the_first_that_is_well_is_asked_first() -> None:
    well = Breaker(RULES)
    assert order([well, well, well], 0) == [0, 1, 2]
    assert order([opened(0), well], 1) == [1]
    assert order([opened(0), well], 10) == [0, 1]
    assert order([opened(5), opened(0)], 6) == [1]
    assert order([], 0) == []


@settings(deadline=None)
@given(st.lists(st.lists(st.tuples(st.booleans(), st.floats(0, 1000)), max_size=8), min_size=1, max_size=4))
def test_somebody_is_always_asked(histories: list[list[tuple[bool, float]]]) -> None:
    now, breakers = 0.0, []
    for history in histories:
        one = Breaker(RULES)
        for well, passed in history:
            now += passed
            one = one.begun(now)
            one = one.succeeded() if well else one.failed(now)
        breakers.append(one)
    places = order(breakers, now)
    assert places
    assert places == sorted(set(places))
    assert all(breakers[place].may(now) for place in places) or len(places) == 1
