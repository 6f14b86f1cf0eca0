"""Events as readers follow them: from where they were, in order, without gaps."""

from __future__ import annotations

import threading

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core import events
from ipfs_accel_cli.core.call import Call, Principal, using
from ipfs_accel_cli.core.errors import Cancelled, Conflict, Invalid


def told(node: Node, *kinds: str, topic: str = "job") -> None:
    events.prepare(node.database)
    with node.database.write() as connection:
        for kind in kinds:
            events.tell(connection, topic, kind, "subject")


def test_the_newest_are_shown_unless_a_number_is_given(node: Node) -> None:
    told(node, *"abcde")

    assert [one.kind for one in node.events.told(limit=2)] == ["d", "e"]
    assert [one.kind for one in node.events.told(since=1, limit=2)] == ["b", "c"]
    assert [one.sequence for one in node.events.told(since=0)] == [1, 2, 3, 4, 5]


def test_a_topic_is_counted_by_itself(node: Node) -> None:
    told(node, "a")
    told(node, "b", "c", topic="store")

    assert [one.kind for one in node.events.told(topics=["job"], limit=1)] == ["a"]


def test_who_follows_hears_what_comes_and_nothing_before(node: Node) -> None:
    told(node, "before")
    heard = node.events.told(follow=True, limit=2)
    later = threading.Timer(0.1, lambda: told(node, "first", "second"))
    later.start()

    assert [one.kind for one in heard] == ["first", "second"]
    later.join()


def test_who_follows_can_be_stopped(node: Node) -> None:
    call = Call()
    call.stopped.set()
    with using(call), pytest.raises(Cancelled):
        next(node.events.told(follow=True))


def test_who_comes_too_late_is_told_so(node: Node) -> None:
    told(node, *"abcde")
    events.prune(node.database, keep=2)

    with pytest.raises(Conflict):
        list(node.events.told(since=2))
    assert [one.kind for one in node.events.told(since=3)] == ["d", "e"]


def test_a_number_that_is_yet_to_come_is_refused(node: Node) -> None:
    with pytest.raises(Invalid):
        list(node.events.told(since=1))


def test_an_assistant_never_waits_without_end(node: Node) -> None:
    with using(Call(principal=Principal("assistant", "mcp"))), pytest.raises(Invalid):
        next(node.events.told(follow=True))
