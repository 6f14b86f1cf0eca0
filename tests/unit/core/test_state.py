"""Database, durable files, locks."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.errors import HomeUnusable
from ipfs_accel_cli.core.files import replacing
from ipfs_accel_cli.core.locks import locked
from ipfs_accel_cli.core.paths import Home
from tests.rights import protect, without_rights

STEPS = [
    ("one", "CREATE TABLE counts (n INTEGER); INSERT INTO counts VALUES (0);"),
    ("two", "ALTER TABLE counts ADD COLUMN m TEXT;"),
]


def add_one_hundred(path: Path) -> None:
    database = Database(Home(path))
    for _ in range(100):
        with database.write() as connection:
            (n,) = connection.execute("SELECT n FROM counts").fetchone()
            connection.execute("UPDATE counts SET n = ?", (n + 1,))


def test_migrations_run_once_in_order_and_only_the_new_ones(tmp_path: Path) -> None:
    Database(Home(tmp_path)).migrate("tests", STEPS[:1])
    database = Database(Home(tmp_path))
    database.migrate("tests", STEPS)
    database.migrate("tests", STEPS)
    row = database.read().execute("SELECT * FROM counts").fetchone()
    assert row.keys() == ["n", "m"]


def test_two_processes_never_lose_a_write(tmp_path: Path) -> None:
    Database(Home(tmp_path)).migrate("tests", STEPS)
    workers = [multiprocessing.get_context("spawn").Process(target=add_one_hundred, args=(tmp_path,)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert Database(Home(tmp_path)).read().execute("SELECT n FROM counts").fetchone()[0] == 200


def test_threads_have_connections_of_their_own(tmp_path: Path) -> None:
    database = Database(Home(tmp_path))
    database.migrate("tests", STEPS)
    threads = [
        threading.Thread(target=lambda: database.read().execute("SELECT n FROM counts").fetchall()) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    database.close()
    assert database.read().execute("SELECT n FROM counts").fetchone()[0] == 0


def test_a_failed_transaction_leaves_nothing(tmp_path: Path) -> None:
    database = Database(Home(tmp_path))
    database.migrate("tests", STEPS)
    with pytest.raises(ZeroDivisionError), database.write() as connection:
        connection.execute("UPDATE counts SET n = 99")
        raise ZeroDivisionError
    assert database.read().execute("SELECT n FROM counts").fetchone()[0] == 0


def test_a_file_that_is_no_database_is_explained(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_bytes(b"not a database" * 100)
    with pytest.raises(HomeUnusable, match=r"state\.db"):
        Database(Home(tmp_path)).read()


def test_a_home_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HomeUnusable) as caught:
        Home(tmp_path / "file" / "home").ensure()
    assert "--home" in str(caught.value.suggestion)


def test_a_replaced_file_is_whole_or_untouched(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), replacing(path) as file:
        file.write(b"half of the n")
        raise ZeroDivisionError
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]
    with replacing(path, 0o600) as file:
        file.write(b"new")
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_lock_is_free_again_when_its_holder_is_killed(tmp_path: Path) -> None:
    code = f"""
import sys, time
from pathlib import Path
from ipfs_accel_cli.core.locks import locked
with locked(Path({str(tmp_path / "lock")!r})):
    print("held", flush=True)
    time.sleep(60)
"""
    holder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    holder.kill()
    holder.wait()
    with locked(tmp_path / "lock"):
        pass


def test_a_home_of_an_earlier_version_that_cannot_be_written_is_read_as_if_it_were_new() -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        earlier = Database(Home(folder))
        earlier.migrate("tests", STEPS[:1])
        earlier.close()
        protect(folder)
        before = (folder / "state.db").read_bytes()

        def read_as_a_stranger() -> None:
            database = Database(Home(folder))
            database.migrate("others", [("things", "CREATE TABLE things (name TEXT);")])
            in_thread = []
            database.migrate("tests", STEPS)
            thread = threading.Thread(target=lambda: in_thread.append(columns(database)))
            thread.start()
            thread.join()
            assert columns(database) == in_thread[0] == ["n", "m"]
            assert database.read().execute("SELECT * FROM things").fetchall() == []
            with pytest.raises(HomeUnusable), database.write() as connection:
                connection.execute("INSERT INTO things VALUES ('lost')")

        assert without_rights(read_as_a_stranger) == 0
        assert (folder / "state.db").read_bytes() == before
    finally:
        shutil.rmtree(folder)


def columns(database: Database) -> list[str]:
    return list(database.read().execute("SELECT * FROM counts").fetchone().keys())
