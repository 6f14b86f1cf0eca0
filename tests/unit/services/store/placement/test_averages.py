"""Averages in which what is recent counts more."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipfs_accel_cli.services.store.placement.averages import HALF_LIFE_S, Averages, added, aged, joined

MIB = 1 << 20
CALLS = st.lists(st.tuples(st.floats(0, 1e6), st.integers(0, 1 << 30), st.floats(1e-4, 1e3)), min_size=1, max_size=20)


@given(CALLS)
def test_an_average_lies_between_the_least_and_the_most(calls: list[tuple[float, int, float]]) -> None:
    averages, now = Averages(), 0.0
    for gap, size_bytes, seconds in calls:
        now += gap
        averages = added(averages, now, size_bytes, seconds, None)
    waits = [seconds for _, size_bytes, seconds in calls if size_bytes < 256 << 10]
    rates = [size_bytes / seconds for _, size_bytes, seconds in calls if size_bytes >= 256 << 10]
    for value, samples in ((averages.latency_s, waits), (averages.bandwidth_bytes_s, rates)):
        assert value is None or min(samples) * 0.999 <= value <= max(samples) * 1.001


def test_after_a_half_life_one_new_sample_counts_as_much_as_two_old_ones() -> None:
    averages = added(added(Averages(), 0, 0, 1.0, None), 0, 0, 1.0, None)
    averages = added(averages, HALF_LIFE_S, 0, 4.0, None)
    assert averages.latency_s == pytest.approx((1 + 1) / 2 / 2 + 4 / 2)


def test_bandwidth_counts_each_transfer_by_its_length() -> None:
    averages = added(added(Averages(), 0, 90 * MIB, 9, None), 0, 10 * MIB, 10, None)
    assert averages.bandwidth_bytes_s == pytest.approx(100 * MIB / 19)
    assert averages.latency_s is None


def test_what_was_never_measured_and_what_is_long_ago_is_unknown() -> None:
    assert (Averages().latency_s, Averages().bandwidth_bytes_s, Averages().fault_share) == (None, None, None)
    once = added(Averages(), 0, 0, 0.5, None)
    assert aged(once, 6 * HALF_LIFE_S).latency_s == pytest.approx(0.5)
    assert aged(once, 8 * HALF_LIFE_S).latency_s is None


def test_a_failed_call_tells_of_faults_and_not_of_speed() -> None:
    averages = added(added(Averages(), 0, 0, 0.5, None), 0, 5 * MIB, 60.0, "unavailable")
    assert (averages.latency_s, averages.bandwidth_bytes_s, averages.fault_share) == (0.5, None, 0.5)
    assert averages.last_code == "unavailable"


def test_what_was_wrong_with_the_question_is_no_fault_of_the_place() -> None:
    averages = added(added(Averages(), 0, 0, 0.5, None), 0, 0, 0.1, "not-found")
    assert (averages.fault_share, averages.latency_s, averages.last_code) == (0, 0.5, "")


def test_a_clock_that_goes_back_ages_nothing() -> None:
    averages = added(Averages(), 1000, 0, 0.5, None)
    assert aged(averages, 10) == averages


def test_joined_operations_are_as_if_they_were_one() -> None:
    one, other = added(Averages(), 0, 0, 1.0, None), added(Averages(), 100, 0, 3.0, "unavailable")
    both = joined([one, other], 100)
    assert both.last_code == "unavailable"
    assert both.fault_share == pytest.approx(1 / (1 + math.pow(0.5, 100 / HALF_LIFE_S)))
