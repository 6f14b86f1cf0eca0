"""The queue's decisions: who is next, how long to wait, what becomes of a job that failed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipfs_accel_cli.core.jobs.decide import (
    AGEING_SECONDS,
    LONGEST_WAIT_SECONDS,
    Candidate,
    Limits,
    after_failure,
    after_loss,
    after_return,
    backoff,
    next_of,
    turn,
)
from ipfs_accel_cli.core.jobs.ids import TimeOrdered
from ipfs_accel_cli.core.jobs.model import State, Wish


def test_the_more_important_goes_first_and_waiting_makes_important() -> None:
    assert turn(1, 100) < turn(0, 100)
    assert turn(0, 100) < turn(1, 100 + AGEING_SECONDS + 1)


def test_a_full_kind_does_not_hold_up_another() -> None:
    waiting = [Candidate("a", "pull"), Candidate("b", "copy")]

    chosen = next_of(waiting, [Candidate("r", "pull")], Limits(kinds={"pull": 1}))

    assert chosen is not None
    assert chosen.id == "b"


def test_a_job_waits_for_each_of_its_backends() -> None:
    limits = Limits(backends={"s3": 2, "hub": 1})
    running = [Candidate("r", "copy", ("s3", "hub"))]

    assert next_of([Candidate("a", "copy", ("s3", "hub"))], running, limits) is None
    assert next_of([Candidate("b", "copy", ("s3",))], running, limits) == Candidate("b", "copy", ("s3",))


@given(
    st.lists(st.tuples(st.sampled_from("xy"), st.sets(st.sampled_from("ab"))), max_size=12),
    st.dictionaries(st.sampled_from("xy"), st.integers(0, 3)),
    st.dictionaries(st.sampled_from("ab"), st.integers(0, 3)),
)
def test_no_limit_is_ever_passed_and_nothing_that_fits_is_left(
    jobs: list[tuple[str, set[str]]], kinds: dict[str, int], backends: dict[str, int]
) -> None:
    waiting = [Candidate(str(at), kind, tuple(names)) for at, (kind, names) in enumerate(jobs)]
    limits = Limits(kinds, backends)
    running: list[Candidate] = []
    while (chosen := next_of(waiting, running, limits)) is not None:
        waiting.remove(chosen)
        running.append(chosen)

    for kind, most in kinds.items():
        assert sum(one.kind == kind for one in running) <= most
    for name, most in backends.items():
        assert sum(name in one.backends for one in running) <= most
    if not kinds and not backends:
        assert not waiting


@given(st.integers(1, 100_000), st.floats(0, 1))
def test_waits_grow_and_end_and_are_never_the_same_for_all(failures: int, chance: float) -> None:
    assert 0 < backoff(failures, chance) <= 1.5 * LONGEST_WAIT_SECONDS
    assert backoff(failures, 0.0) < backoff(failures, 1.0)
    assert backoff(failures, chance) <= backoff(failures + 1, chance)


@pytest.mark.parametrize(
    ("failures", "retryable", "wish", "state"),
    [
        (0, True, Wish.NONE, State.WAITING),
        (4, True, Wish.NONE, State.PARKED),
        (0, False, Wish.NONE, State.PARKED),
        (0, True, Wish.PAUSE, State.PAUSED),
        (0, False, Wish.PAUSE, State.PARKED),
        (0, False, Wish.CANCEL, State.CANCELLED),
    ],
)
def test_what_becomes_of_a_job_that_failed(failures: int, retryable: bool, wish: Wish, state: State) -> None:
    assert after_failure(failures, 5, retryable=retryable, wish=wish, chance=0.5).state is state


def test_a_server_that_asks_for_more_time_gets_it() -> None:
    assert after_failure(0, 5, retryable=True, wish=Wish.NONE, chance=0.5, asked_seconds=600).wait_seconds == 600


def test_a_job_that_kills_its_workers_is_parked_in_the_end() -> None:
    assert after_loss(0, 5, wish=Wish.NONE, chance=0.5).state is State.WAITING
    assert after_loss(4, 5, wish=Wish.NONE, chance=0.5).state is State.PARKED


def test_handing_back_is_nobodys_failure() -> None:
    assert after_return(3, wish=Wish.NONE).failures == 3


def test_ids_sort_as_they_were_given_even_when_the_clock_steps_back() -> None:
    times = iter([1000.0, 1000.0, 999.0, 1000.5] + [1000.5] * 5000)
    make = TimeOrdered(lambda: next(times))

    ids = [make() for _ in range(5004)]

    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
    assert all(one[14] == "7" and one[19] in "89ab" for one in ids)
