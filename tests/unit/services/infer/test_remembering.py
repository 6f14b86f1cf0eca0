"""Models that were found are found again without looking, until something changes."""

from __future__ import annotations

import threading
from pathlib import Path

from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.engines.base import Loadable, ModelFacts
from ipfs_accel_cli.services.infer.remembering import Remembered


def test_it_looks_again_when_this_thread_another_or_another_process_has_written(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    here, elsewhere = Database(home), Database(home)
    here.migrate("test", (("1", "CREATE TABLE things (name TEXT);"),))
    looked: list[str | None] = []

    def find(name: str | None, task: str) -> Loadable:
        looked.append(name)
        return Loadable(ModelFacts(name or "default", f"cid {len(looked)}"), tmp_path)

    def add(database: Database) -> None:
        with database.write() as connection:
            connection.execute("INSERT INTO things VALUES ('one')")

    found = Remembered(find, here.stamp)
    assert [found("bert", "embed").facts.manifest for _ in range(3)] == ["cid 1"] * 3
    assert found("bert", "classify").facts.manifest == "cid 2"
    add(here)
    assert found("bert", "embed").facts.manifest == "cid 3"
    add(elsewhere)
    assert [found("bert", "embed").facts.manifest for _ in range(2)] == ["cid 4"] * 2
    thread = threading.Thread(target=add, args=(here,))
    thread.start()
    thread.join()
    assert found("bert", "embed").facts.manifest == "cid 5"
    assert looked == ["bert"] * 5


def test_what_changes_while_it_is_looked_for_is_looked_for_again(tmp_path: Path) -> None:
    stamps, changed = [0], ["old", "new", "new"]

    def find(name: str | None, _task: str) -> Loadable:
        found = Loadable(ModelFacts(str(name), changed.pop(0)), tmp_path)
        # The name is given to another model just after it was read.
        stamps[0] = 1
        return found

    remembered = Remembered(find, lambda: stamps[0])
    assert [remembered("bert", "embed").facts.manifest for _ in range(3)] == ["old", "new", "new"]
    assert changed == ["new"]
