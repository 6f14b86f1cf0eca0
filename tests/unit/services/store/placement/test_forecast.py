"""Lines through what was, and how wrong they were."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipfs_accel_cli.services.store.placement.forecast import LEAST_DAYS, back_test, forecast, trend


@given(st.integers(-1000, 1000), st.integers(0, 10**9), st.integers(LEAST_DAYS, 60))
def test_a_straight_line_is_found_again(slope: int, level: int, days: int) -> None:
    line = trend([level + slope * day for day in range(days)])
    assert line.slope == slope
    assert line.level == level


def test_single_odd_days_do_not_bend_the_line() -> None:
    values = [100.0 + 2 * day for day in range(40)]
    values[7], values[23] = 1e9, 0
    line = trend(values)
    assert line.slope == pytest.approx(2, rel=0.05)
    assert line.at(100) == pytest.approx(300, rel=0.05)


def test_nothing_is_ever_less_than_nothing() -> None:
    line = trend([float(100 - 10 * day) for day in range(10)])
    assert line.at(50) == 0
    assert line.mean(5, 14) == pytest.approx((50 + 40 + 30 + 20 + 10) / 10)


def test_the_back_test_says_how_far_the_latest_quarter_was_off() -> None:
    assert back_test([10.0 * day for day in range(1, 41)]) == pytest.approx(0)
    doubled = [100.0] * 30 + [200.0] * 10
    assert back_test(doubled) == pytest.approx(0.5)
    assert back_test([5.0] * 15 + [0.0] * 5) is None
    assert back_test([100.0] * 39 + [1.0]) == pytest.approx(99 / 901)


def test_a_short_history_is_no_forecast_and_says_so() -> None:
    told = forecast([1.0] * (LEAST_DAYS - 1))
    assert (told.line, told.error) == (None, None)
    assert told.why == "unknown, because there are fewer than 14 days of history: 13"
    assert forecast([1.0] * LEAST_DAYS).error == 0
