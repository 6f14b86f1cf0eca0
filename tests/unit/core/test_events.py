"""The event log: numbers that only grow, and events that are there exactly when their change is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ipfs_accel_cli.core import events
from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.paths import Home


@pytest.fixture
def database(home: Path) -> Iterator[Database]:
    opened = Database(Home.locate(home))
    events.prepare(opened)
    yield opened
    opened.close()


def told(database: Database, *kinds: str) -> list[int]:
    with database.write() as connection:
        return [events.tell(connection, kind.split(".")[0], kind, "subject", size=1) for kind in kinds]


def test_events_come_in_the_order_in_which_they_were_told(database: Database) -> None:
    told(database, "store.kept", "job.added")

    kinds = [(one.kind, dict(one.data)) for one in events.since(database, 0)]
    assert kinds == [("store.kept", {"size": 1}), ("job.added", {"size": 1})]


def test_a_reader_goes_on_where_it_was_and_may_choose_topics(database: Database) -> None:
    first, *_ = told(database, "store.kept", "job.added", "store.released")

    assert [one.kind for one in events.since(database, first)] == ["job.added", "store.released"]
    assert [one.kind for one in events.since(database, 0, ("store",), limit=1)] == ["store.kept"]


def test_an_event_of_a_change_that_failed_was_never_told(database: Database) -> None:
    with pytest.raises(RuntimeError), database.write() as connection:
        events.tell(connection, "store", "kept", "subject")
        raise RuntimeError

    assert events.since(database, 0) == []
    assert events.newest(database) == 0


def test_numbers_are_not_used_again_after_pruning(database: Database) -> None:
    told(database, "a", "b", "c")

    assert events.prune(database, keep=1) == 2
    assert (events.oldest(database), events.newest(database)) == (3, 3)
    events.prune(database, keep=0)
    assert (events.oldest(database), events.newest(database)) == (4, 3)
    assert told(database, "d") == [4]


def test_a_home_without_a_log_has_no_events(home: Path) -> None:
    database = Database(Home.locate(home))

    assert (events.since(database, 0), events.newest(database), events.oldest(database)) == ([], 0, 1)
    database.close()
