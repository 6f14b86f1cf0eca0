"""Several backends as one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipfs_accel_cli.backends.base import Backend, Blocks, Body, Dags, Files, Receipt, TakesDags, Traits
from ipfs_accel_cli.backends.wrap.base import Through, wrapped
from ipfs_accel_cli.backends.wrap.failover import failover
from ipfs_accel_cli.core.breaker import Rules
from ipfs_accel_cli.core.call import Call, Silent, using
from ipfs_accel_cli.core.errors import (
    Conflict,
    DiskFull,
    Invalid,
    LimitReached,
    NotFound,
    Offline,
    TryAgain,
    Unavailable,
    VerificationFailed,
)
from tests.conformance.backend_faults import Cutting, Dropping, Dying, MemoryDags, MemoryFiles, Truncating
from tests.conformance.backend_suite import body
from tests.conformance.dags_suite import TREE, UNKNOWN

DATA = bytes(range(256)) * 2


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def memory(name: str, *, states: bool = True, data: bytes | None = DATA) -> MemoryFiles:
    return MemoryFiles(name, {} if data is None else {"one": data}, states=states)


def both(*backends: Any, rules: Rules | None = None, clock: Clock | None = None) -> Any:
    return failover("both", backends, rules, clock or Clock())


class Refusing(MemoryFiles):
    """Takes nothing, for a reason."""

    error: Exception = DiskFull("the disk is full")

    def put(self, body: Body, key: str) -> Receipt:
        raise self.error


@settings(deadline=None)
@given(st.integers(0, 300), st.integers(0, 512), st.none() | st.integers(0, 512), st.booleans())
def test_wherever_a_read_breaks_the_next_goes_on_there(cut: int, offset: int, length: int | None, states: bool) -> None:
    first = wrapped(memory("first", states=states), Cutting([cut]))
    second = memory("second", states=states)
    end = None if length is None else offset + length
    assert b"".join(both(first, second).open("first:one", offset, length)) == DATA[offset:end]
    if states:
        assert all(opened[0] >= min(offset + cut, len(DATA)) or cut == 0 for opened in second.opened)


@settings(deadline=None)
@given(st.integers(1, 500), st.booleans())
def test_a_read_never_goes_on_in_another_file(cut: int, states: bool) -> None:
    first = wrapped(memory("first", states=states), Cutting([cut]))
    got = b""
    with pytest.raises(Conflict, match="second:one differs"):
        for piece in both(first, memory("second", states=states, data=DATA[::-1])).open("one"):
            got += piece
    assert got == DATA[:cut]


def test_an_answer_that_is_too_short_goes_on_at_the_next() -> None:
    assert b"".join(both(wrapped(memory("first"), Truncating(100)), memory("second")).open("one")) == DATA


def test_a_receipt_says_who_took_a_file_and_it_is_read_there_first() -> None:
    first, second = wrapped(memory("first", data=None), Dying()), memory("second", data=None)
    files = both(first, second)
    assert files.put(body(DATA), "a:b").locator == "second:a:b"
    assert b"".join(files.open("second:a:b")) == DATA
    assert files.stat("a:b").locator == "second:a:b"


@pytest.mark.parametrize("error", [DiskFull("full"), LimitReached("too large"), Unavailable("down"), TryAgain("busy")])
def test_who_does_not_take_a_file_is_passed_over(error: Exception) -> None:
    first, second = Refusing("first", {}), memory("second", data=None)
    first.error = error
    assert both(first, second).put(body(DATA), "one").locator == "second:one"


@pytest.mark.parametrize("error", [Conflict("other bytes"), VerificationFailed("not those announced")])
def test_what_lies_with_the_file_is_told_at_once(error: Exception) -> None:
    first, second = Refusing("first", {}), memory("second", data=None)
    first.error = error
    with pytest.raises(type(error)):
        both(first, second).put(body(DATA), "one")
    assert second.files == {}


def test_places_that_are_read_only_or_too_small_are_not_asked_to_take_a_file() -> None:
    first, second, third = memory("first", data=None), memory("second", data=None), memory("third", data=None)
    first.traits, second.traits = Traits(read_only=True), Traits(max_bytes=3)
    assert both(first, second, third).put(body(DATA), "one").locator == "third:one"
    with pytest.raises(LimitReached):
        both(first, second).put(body(DATA), "one")


class Counted(Through):
    """Counts calls, and is down as long as it is told."""

    def __init__(self) -> None:
        self.calls, self.down = 0, True

    def call(self, operation: str, work: Any, *, again: bool = True) -> Any:
        self.calls += 1
        if self.down:
            raise Unavailable("nobody answers")
        return work(None)


def test_who_fails_again_and_again_is_left_alone_for_a_while() -> None:
    around, clock = Counted(), Clock()
    files = both(
        wrapped(memory("first"), around), memory("second"), rules=Rules(failures=2, cool_down_s=10), clock=clock
    )
    for _ in range(5):
        assert files.stat("one").locator == "second:one"
    assert around.calls == 2

    clock.now, around.down = 10.0, False
    assert files.stat("one").locator == "first:one"
    assert files.stat("one").locator == "first:one"
    assert around.calls == 4


def test_when_all_are_left_alone_it_says_for_how_long() -> None:
    files = both(wrapped(memory("first"), Counted()), rules=Rules(failures=1, cool_down_s=30))
    with pytest.raises(Unavailable, match="nobody answers"):
        files.stat("one")
    with pytest.raises(Unavailable, match="left alone for 30 s") as raised:
        files.stat("one")
    assert raised.value.context["retry_after_s"] == 30


def test_not_to_have_a_file_is_no_failure() -> None:
    first, second = memory("first", data=None), memory("second")
    files = both(first, second, rules=Rules(failures=1))
    for _ in range(3):
        assert b"".join(files.open("one")) == DATA
        assert files.stat("none") is None
        with pytest.raises(NotFound):
            next(files.open("none"))
    first.files["one"] = DATA
    assert files.stat("one").locator == "first:one"


def test_absence_is_not_claimed_when_nobody_could_be_asked() -> None:
    files = both(wrapped(memory("first"), Dying()), wrapped(memory("second"), Dying()))
    with pytest.raises(Unavailable, match="first: nobody answers; second: nobody answers"):
        files.stat("one")
    for listed in (files.scan, lambda: files.open("one")):
        with pytest.raises(Unavailable):
            list(listed())


class Lying(MemoryFiles):
    """Finds out in the middle that its bytes are wrong."""

    def open(self, locator: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        yield self.files[locator][:10]
        raise VerificationFailed("a block is damaged")


def test_who_gives_wrong_bytes_is_dropped_and_named() -> None:
    first, second = Lying("first", {"one": DATA}), memory("second")
    files = both(first, second)
    assert b"".join(files.open("one")) == DATA
    assert files.stat("one").locator == "second:one"
    assert "first: a block is damaged" in files.health().detail

    alone = both(Lying("first", {"one": DATA}))
    with pytest.raises(VerificationFailed):
        list(alone.open("one"))
    with pytest.raises(VerificationFailed, match="first is not asked any more"):
        list(alone.open("one"))


def test_what_a_dropped_member_gave_before_is_not_believed() -> None:
    first = Lying("first", {"one": b"wrong bytes from the start" + DATA})
    second = memory("second")
    first.stat = second.stat  # It states the right digest.
    with pytest.raises(Conflict, match="differs"):
        list(both(first, second).open("one"))


def test_a_list_holds_what_any_has_once() -> None:
    first, second = MemoryFiles("first", {"a": b"1", "c": b"3"}), MemoryFiles("second", {"b": b"2", "c": b"3"})
    assert [stat.locator for stat in both(first, second).scan()] == ["first:a", "second:b", "first:c"]


def test_a_copy_is_deleted_where_its_locator_says() -> None:
    first, second = memory("first"), memory("second")
    files = both(first, second)
    files.delete("second:one")
    assert (first.files, second.files) == ({"one": DATA}, {})
    second.files["one"] = DATA
    files.delete("one")
    assert (first.files, second.files) == ({}, {})


def test_a_dag_that_breaks_off_goes_on_at_the_next() -> None:
    first = wrapped(MemoryDags("first", dict(TREE.blocks), {}), Dropping(after_items=3))
    second = MemoryDags("second", dict(TREE.blocks), {})
    got = [block.cid for block in both(first, second).get_dag(TREE.root.cid)]
    assert got == [block.cid for block in second.get_dag(TREE.root.cid)]
    assert both(first, second).has([TREE.root.cid, UNKNOWN]) == {TREE.root.cid}


def test_a_dag_goes_to_the_first_that_takes_it_if_its_blocks_come_again() -> None:
    first, second = MemoryDags("first", {}, {}), MemoryDags("second", {}, {})
    dags = both(wrapped(first, Dying()), second)
    assert isinstance(dags, Dags)
    assert isinstance(dags, TakesDags)
    assert not isinstance(dags, Files)
    with pytest.raises(Unavailable):
        dags.put_dag(TREE.root.cid, TREE.walk())
    assert dags.put_dag(TREE.root.cid, Blocks(TREE.walk)).via == "second"
    assert second.blocks == TREE.blocks
    assert list(dags.dags()) == [TREE.root.cid]


def test_what_needs_the_network_is_passed_over_offline() -> None:
    class Far(MemoryFiles):
        def stat(self, key: str) -> Any:
            raise Offline("needs the network")

    assert both(Far("far", {}), memory("near")).stat("one").locator == "near:one"
    with pytest.raises(Offline):
        both(Far("far", {})).stat("one")


def test_a_time_that_is_over_lies_with_no_member() -> None:
    over, files = Over(), both(memory("first"), memory("second"), rules=Rules(failures=1))
    with using(Call(reporter=over)), pytest.raises(TryAgain, match="the time is over"):
        for _ in files.open("one"):
            over.over = True
            list(files.open("one"))
    assert files.stat("one").locator == "first:one"


class Over(Silent):
    """A reporter whose time can be over."""

    over = False

    def check(self) -> None:
        if self.over:
            raise TryAgain("the time is over")


def test_members_need_names_of_their_own() -> None:
    for names in (("one", "one"), ("a:b",), ()):
        with pytest.raises(Invalid):
            both(*(memory(name) for name in names))


def test_traits_are_those_of_all() -> None:
    first, second = memory("first"), memory("second")
    first.traits, second.traits = Traits(region="a", max_bytes=5), Traits(region="b", deletes=False, max_bytes=7)
    made: Backend = both(first, second)
    assert made.traits == Traits(deletes=False, max_bytes=7)
    assert hashlib.sha256(DATA).digest() == both(first).stat("one").sha256
