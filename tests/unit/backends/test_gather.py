"""Puts that wait for each other: few commits, nobody fails for another, and nobody waits for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ipfs_accel_cli.backends.base import Body, Receipt
from ipfs_accel_cli.backends.wrap.gather import gathered
from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import AccelError, Cancelled, Conflict, TryAgain
from tests.conformance.backend_faults import MemoryFiles
from tests.conformance.backend_suite import body


class Committing(MemoryFiles):
    """Takes many at once, and refuses a key that is there."""

    def __init__(self) -> None:
        super().__init__("hub", {"taken": b"theirs"})
        self.commits: list[list[str]] = []
        self.before: Callable[[], object] = lambda: None
        self.refuses: AccelError | None = None

    def put(self, body: Body, key: str) -> Receipt:
        return self.put_all([(body, key)])[0]

    def put_all(self, bodies: Sequence[tuple[Body, str]]) -> Sequence[Receipt]:
        self.before()
        if self.refuses is not None:
            raise self.refuses
        if any(key == "taken" for _, key in bodies):
            raise Conflict("taken is there already")
        self.commits.append(sorted(key for _, key in bodies))
        return [MemoryFiles.put(self, one, key) for one, key in bodies]


def put(place: Any, names: Sequence[str], call: Call | None = None) -> dict[str, str]:
    """Put small files by as many threads, and return what became of each."""

    def one(name: str) -> str:
        with using(call or Call()):
            try:
                return str(place.put(body(name.encode()), name).locator)
            except AccelError as error:
                return error.code

    with ThreadPoolExecutor(len(names)) as pool:
        return dict(zip(names, pool.map(one, names), strict=True))


def test_those_who_come_together_go_together() -> None:
    inner, names = Committing(), [f"{n:02}" for n in range(16)]
    assert put(gathered(inner, 16), names) == {name: name for name in names}
    assert sorted(name for commit in inner.commits for name in commit) == names
    assert len(inner.commits) <= 8


def test_one_that_is_at_odds_fails_alone() -> None:
    inner = Committing()
    assert put(gathered(inner, 3), ["a", "b", "taken"]) == {"a": "a", "b": "b", "taken": "conflict"}
    assert inner.files["taken"] == b"theirs"


def test_what_may_go_better_later_is_told_to_all() -> None:
    inner = Committing()
    inner.refuses = TryAgain("busy")
    assert set(put(gathered(inner, 3), ["a", "b", "c"]).values()) == {"try-again"}


def test_who_is_cancelled_leaves_nobody_waiting() -> None:
    inner, call = Committing(), Call()
    threading.Timer(0.1, call.stopped.set).start()
    assert set(put(gathered(inner, 99), ["a", "b"], call).values()) <= {"cancelled", "a", "b"}
    assert put(gathered(inner, 1), ["c"]) == {"c": "c"}


def test_a_place_without_commits_is_left_as_it_is() -> None:
    plain = MemoryFiles("plain", {})
    assert gathered(plain, 3) is plain


def test_a_leader_that_dies_in_its_commit_frees_the_others() -> None:
    inner = Committing()

    def dies() -> None:
        inner.before = lambda: None
        raise Cancelled("the leader was told to stop")

    inner.before = dies
    found = put(gathered(inner, 3), ["a", "b", "c"])
    assert sorted(found.values()).count("cancelled") == 1
    assert set(inner.files) == {name for name, what in found.items() if what != "cancelled"} | {"taken"}


@pytest.mark.parametrize("count", [1, 2])
def test_no_more_wait_than_there_are(count: int) -> None:
    inner, names = Committing(), [str(n) for n in range(count)]
    assert put(gathered(inner, 32), names) == {name: name for name in names}
