"""How files are cut for their way there and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipfs_accel_cli.backends.s3.parts import LIMITS, MAX_BYTES
from ipfs_accel_cli.core.errors import LimitReached
from ipfs_accel_cli.core.parts import (
    LONGEST_HELD_BYTES,
    MEMORY_BYTES,
    MIB,
    MOST_PARALLEL,
    Pace,
    Parts,
    to_read,
    to_send,
)

GIB = 1 << 30
PACES = st.builds(Pace, st.none() | st.floats(0, 100), *(2 * [st.none() | st.floats(1, 1e11)]))
NEAR, FAR = Pace(0.0005, 200 * MIB, 200 * MIB), Pace(0.2, 40 * MIB, 40 * MIB)


@given(st.integers(0, MAX_BYTES), PACES)
def test_parts_cover_the_file_within_all_limits(size_bytes: int, pace: Pace) -> None:
    cut = to_send(size_bytes, pace, LIMITS)
    count = max(1, -(-size_bytes // cut.part_bytes))
    assert count <= LIMITS.most_parts
    assert 1 <= cut.parallel <= min(MOST_PARALLEL, count)
    if size_bytes > LIMITS.above_bytes:
        assert LIMITS.least_bytes <= cut.part_bytes <= LIMITS.most_bytes
    if cut.part_bytes <= LONGEST_HELD_BYTES:  # And one that is being read.
        assert cut.parallel == 1 or (cut.parallel + 1) * cut.part_bytes <= MEMORY_BYTES


@given(st.integers(0, 1 << 44), PACES)
def test_what_is_fetched_at_a_time_fits_the_memory(size_bytes: int, pace: Pace) -> None:
    cut = to_read(size_bytes, pace)
    assert 1 <= cut.parallel <= MOST_PARALLEL
    assert cut.parallel == 1 or (2 * cut.parallel + 1) * cut.part_bytes <= MEMORY_BYTES


@given(st.integers(9 * MIB, 40 * GIB), st.floats(1e3, 1e10), st.floats(1e-4, 10), st.floats(1, 100))
def test_a_longer_way_takes_no_fewer_at_a_time(size_bytes: int, rate: float, latency: float, more: float) -> None:
    near, far = (Pace(each, rate, rate) for each in (latency, latency * more))
    assert to_send(size_bytes, far, LIMITS).parallel >= min(
        to_send(size_bytes, near, LIMITS).parallel, -(-size_bytes // to_send(size_bytes, far, LIMITS).part_bytes)
    )
    assert to_read(size_bytes, far).parallel >= to_read(size_bytes, near).parallel


def test_near_goes_in_few_large_parts_and_far_in_many_at_a_time() -> None:
    assert to_send(GIB, NEAR, LIMITS) == Parts(12 * MIB, 3)
    assert to_send(GIB, FAR, LIMITS) == Parts(5 * MIB, 8)


def test_what_was_not_measured_goes_six_at_a_time() -> None:
    assert to_send(GIB, Pace(), LIMITS) == Parts(6 * MIB, 6)
    assert to_send(GIB, Pace(latency_s=0.1), LIMITS) == Parts(6 * MIB, 6)


def test_one_stream_fetches_what_is_near_or_not_measured() -> None:
    assert to_read(GIB, NEAR) == to_read(GIB, Pace()) == Parts(GIB, 1)
    assert to_read(GIB, Pace(0.008, 600 * MIB)) == Parts(GIB, 1)
    assert to_read(GIB, FAR) == Parts(MIB, 16)
    assert to_read(GIB, Pace(0.05, 20 * MIB)) == Parts(9 * MIB, 2)


def test_a_file_that_no_number_of_parts_holds_is_refused() -> None:
    with pytest.raises(LimitReached):
        to_send(MAX_BYTES + 1, Pace(), LIMITS)
