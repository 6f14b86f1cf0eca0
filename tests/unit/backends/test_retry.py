"""Going on where a read or a list broke off."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipfs_accel_cli.backends.base import Blocks, Receipt
from ipfs_accel_cli.backends.wrap.base import wrapped
from ipfs_accel_cli.backends.wrap.resume import Yielded, left
from ipfs_accel_cli.backends.wrap.retry import Retry, retried
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core import retry
from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import Cancelled, NotFound, TryAgain, Unavailable
from tests.conformance.backend_faults import Cutting, Dropping, Dying, MemoryDags, MemoryFiles
from tests.conformance.dags_suite import TREE

DATA = bytes(range(256)) * 2


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    waited: list[int] = []

    def quick(failures: int, _error: object) -> float:
        waited.append(failures)
        return 0.0

    monkeypatch.setattr(retry, "wait_seconds", quick)
    return waited


def flaky(times: int, answer: object = "answer", error: type[Exception] = TryAgain) -> Callable[[Any], Any]:
    """Return work that fails so many times."""
    failed = 0

    def work(_: object) -> object:
        nonlocal failed
        if failed < times:
            failed += 1
            raise error("busy")
        return answer

    return work


def test_what_is_busy_is_asked_again_and_in_the_end_given_up(waits: list[int]) -> None:
    assert Retry().call("stat", flaky(retry.MAX_ATTEMPTS - 1)) == "answer"
    assert waits == [1, 2, 3]
    with pytest.raises(TryAgain):
        Retry().call("stat", flaky(retry.MAX_ATTEMPTS))


def test_what_another_try_does_not_help_is_not_tried_again(waits: list[int]) -> None:
    for error in (NotFound, Unavailable):
        with pytest.raises(error):
            Retry().call("stat", flaky(1, error=error))
    assert waits == []


@settings(deadline=None)
@given(
    st.lists(st.integers(1, 200), max_size=12), st.integers(0, len(DATA) + 5), st.none() | st.integers(0, len(DATA) + 5)
)
def test_wherever_a_read_breaks_no_byte_is_lost_and_none_comes_twice(
    cuts: list[int], offset: int, length: int | None
) -> None:
    files: Any = retried(wrapped(MemoryFiles("memory", {"one": DATA}), Cutting(list(cuts))))
    end = None if length is None else offset + length
    assert b"".join(files.open("one", offset, length)) == DATA[offset:end]


def test_a_read_that_gets_nowhere_is_given_up_and_one_that_gets_on_is_not(waits: list[int]) -> None:
    files: Any = retried(wrapped(MemoryFiles("memory", {"one": DATA}), Cutting([10, 0, 0, 0, 0])))
    got = b""
    with pytest.raises(TryAgain):
        for piece in files.open("one"):
            got += piece
    assert got == DATA[:10]
    assert waits == [1, 2, 3]

    slow: Any = retried(wrapped(MemoryFiles("memory", {"one": DATA}), Cutting([1] * 100)))
    assert b"".join(slow.open("one")) == DATA


def test_a_read_of_which_all_has_come_is_not_begun_again() -> None:
    inner = MemoryFiles("memory", {"one": DATA})
    files: Any = retried(wrapped(inner, Cutting([20])))
    assert b"".join(files.open("one", 5, 20)) == DATA[5:25]
    assert inner.opened == [(5, 20)]


@settings(deadline=None)
@given(st.data())
def test_however_a_dag_comes_again_no_block_is_lost_and_parents_stay_first(data: st.DataObject) -> None:
    children = [f"child {number}" for number in range(data.draw(st.integers(0, 8)))]
    blocks = ["root", *children, *children[:2]]  # Some come more than once.
    cuts = data.draw(st.lists(st.integers(0, len(blocks)), max_size=3))
    chance = random.Random(data.draw(st.integers()))

    def begin() -> Iterator[str]:
        rest = blocks[1:]
        chance.shuffle(rest)
        run = ["root", *rest]
        if cuts:
            yield from run[: cuts.pop(0)]
            raise TryAgain("the connection broke")
        yield from run

    got = list(Retry().stream("get_dag", begin, str))
    assert got[0] == "root"
    assert sorted(got) == sorted(blocks)


@settings(deadline=None)
@given(st.lists(st.integers(0, 30), unique=True), st.lists(st.integers(1, 10), max_size=5))
def test_a_list_in_order_goes_on_after_the_last(keys: list[int], cuts: list[int]) -> None:
    yielded, got = Yielded[int](int, rising=True), []
    for run in [*cuts, len(keys)]:
        yielded.begin()
        got += [key for key in sorted(keys)[: len(got) + run] if yielded.is_new(key)]
    assert got == sorted(keys)


def test_what_is_left_of_a_read() -> None:
    assert left(10, None, 15) is None
    assert left(10, 20, 15) == 15
    assert left(10, 20, 30) == 0


def test_a_dag_breaks_off_and_comes_whole() -> None:
    dropping = Dropping(after_items=2)
    dags: Any = retried(wrapped(MemoryDags("memory", dict(TREE.blocks), {}), dropping))
    got = list(dags.get_dag(TREE.root.cid))
    assert dropping.drops > 1
    assert [block.cid for block in got] == [
        block.cid for block in MemoryDags("", TREE.blocks, {}).get_dag(TREE.root.cid)
    ]


class Refusing:
    """Takes a DAG at the third try."""

    def __init__(self) -> None:
        self.tries: list[int] = []

    def take(self, root: CID, blocks: Any) -> Receipt:
        self.tries.append(sum(1 for _ in blocks))
        if len(self.tries) < 3:
            raise TryAgain("busy")
        return Receipt(str(root), 0, "cid")


def test_a_dag_is_put_again_only_if_its_blocks_can_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    inner: Any = MemoryDags("memory", {}, {})
    for blocks, tries in ((Blocks(TREE.walk), 3), (list(TREE.walk()), 3), (TREE.walk(), 1)):
        place = Refusing()
        monkeypatch.setattr(inner, "put_dag", place.take)
        taking: Any = retried(inner)
        if tries == 1:
            with pytest.raises(TryAgain):
                taking.put_dag(TREE.root.cid, blocks)
        else:
            taking.put_dag(TREE.root.cid, blocks)
        assert place.tries == [len(TREE.blocks)] * tries


def test_who_is_stopped_does_not_wait_to_try_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "wait_seconds", lambda *_: 3600.0)
    call = Call()
    call.stopped.set()
    files: Any = retried(wrapped(MemoryFiles("memory", {"one": DATA}), Cutting([3])))
    with using(call), pytest.raises(Cancelled):
        list(files.open("one"))


def test_a_place_that_died_stays_dead() -> None:
    files: Any = retried(wrapped(MemoryFiles("memory", {"one": DATA}), Dying()))
    with pytest.raises(Unavailable):
        files.stat("one")
