"""Limits: bytes a second, and calls at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipfs_accel_cli.backends.base import Body
from ipfs_accel_cli.backends.wrap.limit import Bucket, Rate, Turns, limited, taken
from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import Cancelled
from tests.conformance.backend_faults import MemoryDags, MemoryFiles
from tests.conformance.backend_suite import body
from tests.conformance.dags_suite import TREE

DATA = bytes(1000)


@settings(deadline=None)
@given(
    st.floats(1, 1e9),
    st.floats(0, 1e6),
    st.lists(st.tuples(st.integers(0, 10**6), st.floats(0, 100)), min_size=1, max_size=30),
)
def test_never_more_passes_than_the_burst_and_the_rate(
    rate: float, burst: float, asked: list[tuple[int, float]]
) -> None:
    bucket, now, passed = Bucket(rate, burst, burst, 0.0), 0.0, 0
    for size, later in asked:
        now += later
        bucket, wait = taken(bucket, size, now)
        now += wait  # A piece passes once its wait is over.
        passed += size
        assert passed <= (burst + rate * now) * (1 + 1e-6) + 1
        assert bucket.left <= burst


@settings(deadline=None)
@given(st.floats(1, 1e6), st.lists(st.integers(1, 10**5), min_size=1, max_size=20))
def test_who_comes_at_one_moment_passes_in_the_order_of_coming_and_at_the_full_rate(
    rate: float, sizes: list[int]
) -> None:
    bucket, waits = Bucket(rate, 0.0, 0.0, 5.0), []
    for size in sizes:
        bucket, wait = taken(bucket, size, 5.0)
        waits.append(wait)
    assert waits == sorted(waits)
    assert waits[-1] == pytest.approx(sum(sizes) / rate)


def test_a_clock_that_goes_back_gives_nothing() -> None:
    bucket, _ = taken(Bucket(10, 10, 10, 100.0), 10, 100.0)
    assert taken(bucket, 5, 50.0) == (Bucket(10, 10, -5, 100.0), 0.5)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let nobody wait, and return the sizes that passed."""
    sizes: list[int] = []
    monkeypatch.setattr(Rate, "wait", lambda _, size: sizes.append(size))
    return sizes


def test_all_bytes_pass_the_limit_in_both_directions(told: list[int]) -> None:
    files: Any = limited(MemoryFiles("memory", {}), rate_bytes_s=1000)
    files.put(body(DATA), "one")
    assert sum(told) == len(DATA)
    assert list(files.open("one", 0, 100)) == [DATA[:100]]
    assert sum(told) == len(DATA) + 100

    told.clear()
    dags: Any = limited(MemoryDags("memory", {}, {}), rate_bytes_s=1000)
    dags.put_dag(TREE.root.cid, TREE.walk())
    assert sum(told) == sum(map(len, TREE.blocks.values()))
    list(dags.get_dag(TREE.root.cid))
    assert sum(told) == 2 * sum(map(len, TREE.blocks.values()))


def test_a_file_of_this_machine_is_not_handed_over_past_the_limit(told: list[int], tmp_path: Any) -> None:
    given_on: list[Body] = []

    class Taking(MemoryFiles):
        def put(self, body: Body, key: str) -> Any:
            given_on.append(body)

    files: Any = limited(Taking("memory", {}), rate_bytes_s=1000)
    files.put(Body(0, b"", lambda *_: iter(()), local=tmp_path / "file"), "one")
    assert given_on[0].local is None


def test_who_is_stopped_does_not_wait_for_the_rate() -> None:
    rate, call = Rate(1.0), Call()
    call.stopped.set()
    with using(call), pytest.raises(Cancelled):
        rate.wait(10**9)


def test_places_are_given_in_the_order_of_coming() -> None:
    turns, order = Turns(1), list[int]()

    def work(number: int) -> None:
        with turns.one():
            order.append(number)

    with turns.one():
        threads = [threading.Thread(target=work, args=(number,)) for number in range(5)]
        for number, thread in enumerate(threads):
            thread.start()
            while len(turns._line) <= number:  # Until it stands in line.
                threading.Event().wait(0.001)
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4]


def test_no_more_are_at_work_than_may_be() -> None:
    turns, lock = Turns(2), threading.Lock()
    at_once = most = 0

    def work() -> None:
        nonlocal at_once, most
        for _ in range(20):
            with turns.one():
                with lock:
                    at_once += 1
                    most = max(most, at_once)
                threading.Event().wait(0.0005)
                with lock:
                    at_once -= 1

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2


def test_who_waits_and_is_stopped_leaves_the_line() -> None:
    turns, call, ended = Turns(1), Call(), list[BaseException]()

    def work() -> None:
        try:
            with using(call), turns.one():
                pass
        except Cancelled as error:
            ended.append(error)

    with turns.one():
        thread = threading.Thread(target=work)
        thread.start()
        call.stopped.set()
        thread.join()
    assert ended
    with turns.one():
        assert not turns._line


def test_a_copy_within_one_place_does_not_wait_for_itself() -> None:
    inner = MemoryFiles("memory", {"one": DATA})
    files: Any = limited(inner, concurrency=1)

    def read(offset: int, length: int | None) -> Iterator[bytes | memoryview]:
        yield from files.open("one", offset, length)

    files.put(Body(len(DATA), b"", read), "two")
    assert inner.files["two"] == DATA


def test_a_stream_that_is_closed_early_gives_its_place_back() -> None:
    files: Any = limited(MemoryFiles("memory", {"one": DATA, "two": DATA}), concurrency=1)
    listing = files.scan()
    next(listing)
    done = threading.Event()
    thread = threading.Thread(target=lambda: files.stat("one") and done.set())
    thread.start()
    assert not done.is_set()
    listing.close()
    thread.join()
    assert done.is_set()
