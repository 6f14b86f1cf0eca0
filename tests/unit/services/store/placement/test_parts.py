"""How files are cut for their way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipfs_accel_cli.core.errors import LimitReached
from ipfs_accel_cli.services.store.placement.parts import (
    LEAST_PART_BYTES,
    MEMORY_BYTES,
    MIB,
    MOST_PARALLEL,
    MOST_PARTS,
    Parts,
    parts,
)

GIB = 1 << 30


@given(
    st.integers(0, 5 << 40),
    st.none() | st.floats(1, 1e11),
    st.none() | st.floats(0, 100),
    st.sampled_from([None, 5 * GIB, 600 * MIB]),
)
def test_parts_cover_the_file_within_all_limits(
    size_bytes: int, bandwidth: float | None, latency: float | None, most: int | None
) -> None:
    cut = parts(size_bytes, bandwidth, latency, most)
    assert cut.part_bytes >= LEAST_PART_BYTES
    assert most is None or cut.part_bytes <= most
    count = max(1, -(-size_bytes // cut.part_bytes))
    assert count <= MOST_PARTS
    assert 1 <= cut.parallel <= min(MOST_PARALLEL, count)
    assert cut.parallel == 1 or cut.parallel * cut.part_bytes <= MEMORY_BYTES


@given(st.integers(1, 40 * GIB), st.floats(1e3, 1e10), st.floats(1e-4, 10), st.floats(1, 100))
def test_a_longer_way_makes_no_smaller_parts(size_bytes: int, bandwidth: float, latency: float, more: float) -> None:
    near, far = parts(size_bytes, bandwidth, latency), parts(size_bytes, bandwidth, latency * more)
    assert far.part_bytes >= near.part_bytes


def test_what_was_not_measured_goes_in_eight_mebibytes_four_at_a_time() -> None:
    assert parts(GIB, None, None) == Parts(8 * MIB, 4)
    assert parts(GIB, 1e6, None) == Parts(8 * MIB, 4)


def test_a_fast_far_place_gets_large_parts_and_several_of_them() -> None:
    assert parts(GIB, 100 * MIB, 0.001) == Parts(5 * MIB, 2)
    assert parts(GIB, 10 * MIB, 0.1) == Parts(10 * MIB, 2)
    assert parts(GIB, 200 * MIB, 0.2) == Parts(32 * MIB, 2)


def test_a_file_that_no_number_of_parts_holds_is_refused() -> None:
    assert parts(50_000 * GIB, None, None, 5 * GIB).parallel == 1
    with pytest.raises(LimitReached):
        parts(50_001 * GIB, None, None, 5 * GIB)
