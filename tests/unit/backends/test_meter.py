"""The meter: what is counted of each call."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipfs_accel_cli.backends.base import Body
from ipfs_accel_cli.backends.wrap.base import wrapped
from ipfs_accel_cli.backends.wrap.meter import LEAST_TRANSFER_BYTES, Meter, decayed, metered
from ipfs_accel_cli.core.errors import NotFound, TryAgain
from tests.conformance.backend_faults import Cutting, MemoryDags, MemoryFiles
from tests.conformance.backend_suite import body
from tests.conformance.dags_suite import TREE

DATA = bytes(LEAST_TRANSFER_BYTES)
Noted = list[tuple[str, int, str | None]]


def noting() -> tuple[Meter, Noted]:
    noted: Noted = []
    return Meter(lambda operation, size, seconds, code: noted.append((operation, size, code))), noted


def test_each_call_is_noted_once_with_its_bytes() -> None:
    meter, noted = noting()
    files: Any = metered(MemoryFiles("memory", {}), meter)
    files.put(body(DATA), "one")
    list(files.open("one", 5))
    list(files.scan())
    files.delete("one")
    assert noted == [
        ("put", len(DATA), None),
        ("open", len(DATA) - 5, None),
        ("scan", 0, None),
        ("delete", 0, None),
    ]
    assert (meter.figures()["put"].bytes_out, meter.figures()["open"].bytes_in) == (len(DATA), len(DATA) - 5)


def test_blocks_are_counted_both_ways() -> None:
    meter, noted = noting()
    dags: Any = metered(MemoryDags("memory", {}, {}), meter)
    dags.put_dag(TREE.root.cid, TREE.walk())
    list(dags.get_dag(TREE.root.cid))
    size = sum(map(len, TREE.blocks.values()))
    assert noted == [("put_dag", size, None), ("get_dag", size, None)]


def test_errors_are_counted_by_their_code_and_still_raised() -> None:
    meter, noted = noting()
    files: Any = metered(wrapped(MemoryFiles("memory", {"one": DATA}), Cutting([10])), meter)
    with pytest.raises(TryAgain):
        list(files.open("one"))
    with pytest.raises(NotFound):
        list(files.open("two"))
    assert noted == [("open", 10, "try-again"), ("open", 0, "not-found")]
    assert meter.figures()["open"].errors == {"try-again": 1, "not-found": 1}


def test_a_read_that_is_given_up_is_noted_without_an_error() -> None:
    meter, noted = noting()
    files: Any = metered(wrapped(MemoryFiles("memory", {"one": DATA}), Cutting([], piece=100)), meter)
    pieces = files.open("one")
    next(pieces)
    pieces.close()
    assert noted == [("open", 100, None)]


def test_a_file_that_a_place_reads_itself_is_counted() -> None:
    class Taking(MemoryFiles):
        def put(self, body: Body, key: str) -> Any: ...

    meter, noted = noting()
    files: Any = metered(Taking("memory", {}), meter)
    files.put(Body(77, b"", lambda *_: iter(()), local=Path("file")), "one")
    files.put(Body(77, b"", lambda *_: iter(())), "one")  # It was there already, and nothing was read.
    assert noted == [("put", 77, None), ("put", 0, None)]


def test_small_transfers_say_nothing_of_the_bandwidth() -> None:
    meter, _ = noting()
    files: Any = metered(MemoryFiles("memory", {"small": b"x", "large": DATA}), meter)
    list(files.open("small"))
    assert meter.figures()["open"].bandwidth_bytes_s is None
    assert meter.figures()["open"].latency_s is not None
    list(files.open("large"))
    assert meter.figures()["open"].bandwidth_bytes_s is not None


def test_a_half_life_halves_what_was() -> None:
    assert decayed(8.0, 1.0, 600, 600) == 5.0
    assert decayed(8.0, 1.0, 0, 600) == 9.0
    assert decayed(8.0, 1.0, -5, 600) == 9.0


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0.1, 1e6), st.floats(0.01, 100), st.floats(0, 5000)), min_size=1, max_size=30))
def test_an_average_lies_between_the_samples(samples: list[tuple[float, float, float]]) -> None:
    total = weight = 0.0
    for rate, seconds, age in samples:
        total = decayed(total, rate * seconds, age, 600)
        weight = decayed(weight, seconds, age, 600)
    rates = [rate for rate, _, _ in samples]
    assert min(rates) * (1 - 1e-9) <= total / weight <= max(rates) * (1 + 1e-9)


def test_one_sample_long_after_counts_for_nearly_all() -> None:
    total, weight = decayed(1000.0, 5.0, 60_000, 600), decayed(1.0, 1.0, 60_000, 600)
    assert total / weight == pytest.approx(5.0)
