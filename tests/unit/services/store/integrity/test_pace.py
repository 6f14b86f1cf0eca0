"""How long a run waits and when it is over."""

from __future__ import annotations

import pytest

from ipfs_accel_cli.services.store.integrity.pace import Pace, owed_seconds


@pytest.mark.parametrize(
    ("done_bytes", "rate", "passed", "owed"),
    [(100, None, 0, 0), (100, 0, 0, 0), (100, 50, 0, 2), (100, 50, 1.5, 0.5), (100, 50, 3, 0), (0, 50, 0, 0)],
)
def test_a_rate_owes_the_time_that_so_many_bytes_may_take(
    done_bytes: int, rate: float | None, passed: float, owed: float
) -> None:
    assert owed_seconds(done_bytes, rate, passed) == owed


def test_a_run_is_over_when_its_time_has_passed() -> None:
    now = 5.0
    pace = Pace(seconds=10, clock=lambda: now)
    assert not pace.over()
    now = 14.9
    assert not pace.over()
    now = 15.0
    assert pace.over()
    assert not Pace().over()
