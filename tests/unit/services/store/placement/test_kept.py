"""What is measured and what lies where, kept between runs."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from ipfs_accel_cli.content.cid import CID, RAW
from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.services.store.backends.copies import Copies, Held, Known
from ipfs_accel_cli.services.store.placement.averages import HALF_LIFE_S
from ipfs_accel_cli.services.store.placement.decisions import Decisions
from ipfs_accel_cli.services.store.placement.history import History
from ipfs_accel_cli.services.store.placement.measures import Measured, Measures, Traffic
from ipfs_accel_cli.services.store.placement.rank import rank
from ipfs_accel_cli.services.store.placement.wants import Candidate, Want

MIB = 1 << 20


class Clock:
    now = datetime(2030, 1, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def seconds(self) -> float:
        return self.now.timestamp()


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(Home(tmp_path))


def test_what_was_noted_is_known_to_the_next_run(database: Database) -> None:
    clock = Clock()
    measures = Measures(database, clock.seconds)
    measures.note("lab", "put", 10 * MIB, 2.0, None)
    measures.note("lab", "open", 10 * MIB, 1.0, None)
    measures.note("lab", "stat", 0, 0.25, None)
    measures.flush()

    seen = Measures(database, clock.seconds).of("lab")
    assert (seen.write_bytes_s, seen.read_bytes_s, seen.latency_s) == (5 * MIB, 10 * MIB, 0.25)
    assert (seen.fault_share, seen.down_s) == (0, None)
    assert measures.of("other") == Measured()
    assert measures.traffic("2030-01-01") == {"lab": Traffic(10 * MIB, 10 * MIB, 1, 1)}
    assert measures.traffic("2030-01-02") == {}


def test_a_place_that_was_down_last_is_known_to_be_so_until_it_answers(database: Database) -> None:
    clock = Clock()
    measures = Measures(database, clock.seconds)
    measures.note("lab", "open", 0, 0.1, "unavailable")
    clock.now += timedelta(seconds=30)
    assert measures.of("lab").down_s == 30
    measures.note("lab", "stat", 0, 0.1, None)
    assert measures.of("lab").down_s is None


def test_old_measures_fade_and_those_of_a_place_that_is_gone_are_let_go(database: Database) -> None:
    clock = Clock()
    measures = Measures(database, clock.seconds)
    measures.note("lab", "stat", 0, 0.1, None)
    clock.now += timedelta(seconds=8 * HALF_LIFE_S)
    assert measures.of("lab").latency_s is None
    measures.note("lab", "stat", 0, 0.1, None)
    measures.forget("lab")
    assert measures.of("lab") == Measured()


def test_a_note_that_cannot_be_written_fails_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    measures = Measures(Database(Home(tmp_path / "file" / "home")))
    measures.note("lab", "open", 0, 0.1, None)
    measures.flush()


def test_how_long_a_list_took_tells_nothing_of_an_answer(database: Database) -> None:
    measures = Measures(database, Clock().seconds)
    measures.note("lab", "scan", 0, 30.0, None)
    assert (measures.of("lab").latency_s, measures.of("lab").fault_share) == (None, 0)


def copy(name: str, data: bytes, backend: str = "lab", *, dag: bool = False) -> Known:
    return Known(CID.of(data, RAW), backend, name, dag, len(data), None, "reread")


def test_every_day_has_what_lay_there_when_it_ended(database: Database) -> None:
    clock, copies = Clock(), Copies(database)
    history = History(database, copies, clock)
    copies.changed = history.record
    copies.note([copy("a", b"12345")])
    clock.now += timedelta(days=2)
    copies.note([copy("b", b"123")])
    copies.note([copy("c", b"12")])
    clock.now += timedelta(days=1)
    copies.forget_all("lab")
    clock.now += timedelta(days=1)

    days = [(total.day.day, total.size_bytes) for total in history.of("lab", 99)]
    assert days == [(1, 5), (2, 5), (3, 10), (4, 0), (5, 0)]
    assert [total.day for total in history.of("lab", 2)] == [date(2030, 1, 4), date(2030, 1, 5)]
    assert history.of("other", 9) == []


def test_a_file_counts_once_and_the_dag_that_it_belongs_to_not_again(database: Database) -> None:
    copies = Copies(database)
    copies.note([copy("a", b"12345"), copy("root.car", b"1234567", dag=True)])
    copies.note([Known(CID.of(b"other", RAW), "lab", "a", False, 5, None, "reread")])
    copies.note([copy("x", b"123", "blocks", dag=True), copy("y", b"1234", "blocks", dag=True)])
    assert copies.held() == {"lab": Held(1, 5), "blocks": Held(2, 7)}


def test_decisions_are_kept_with_their_reasons(database: Database) -> None:
    decisions, want = Decisions(database), Want(7, storage_class="hot", strategy="speed")
    assert decisions.newest(5) == []
    for cid in ("one", "two"):
        decisions.keep("plan", cid, want, rank([Candidate("a"), Candidate("b", takes=False)], want))
    newest, oldest = decisions.newest(5)
    assert (newest.cid, oldest.cid) == ("two", "one")
    assert (newest.size_bytes, newest.storage_class, newest.strategy) == (7, "hot", "speed")
    first, refused = newest.ranked
    assert (first["name"], first["chosen"]) == ("a", True)
    assert refused["why"] == ["it takes no content that is sent to it"]
    assert [one.cid for one in decisions.newest(5, "one")] == ["one"]
