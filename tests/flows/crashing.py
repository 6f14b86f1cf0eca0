"""A program that kills itself at the n-th step of a store command, for every n until the command gets to its end.

Run by test_crash_store.py as `crashing.py COMMAND FOLDER`; prints one JSON line. A step is a call that changes the
disk, a transaction's begin and end among them; the process dies between two of them, by SIGKILL, so that no handler
and no buffer helps it.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import sys
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from ipfs_accel_cli.content import dagcbor
from ipfs_accel_cli.content.cid import CID, DAG_CBOR
from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.services.store import Store, staging

STEPS = (
    "rename", "replace", "link", "unlink", "mkdir", "rmdir", "fsync", "fdatasync", "fchmod", "chmod", "open",
    "pwrite", "copy_file_range",
)  # fmt: skip


class Fuse:
    """Counts steps and ends the process at the chosen one."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.step = 0

    def burn(self) -> None:
        self.step += 1
        if self.step == self.at:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def stepped(*args: Any, **kwargs: Any) -> Any:
            self.burn()
            return call(*args, **kwargs)

        return stepped

    def set(self) -> None:
        """Put the fuse into every call that changes the disk, SQLite's transactions among them."""
        fuse = self

        class Connection(sqlite3.Connection):
            def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
                plain = super().execute
                if statement.split()[0] in ("COMMIT", "BEGIN", "ATTACH", "DETACH", "INSERT", "DELETE", "UPDATE"):
                    return fuse.around(plain)(statement, *values)
                return plain(statement, *values)

        connect = sqlite3.connect
        sqlite3.connect = lambda *args, **kwargs: connect(*args, **kwargs, factory=Connection)
        for name in STEPS:
            setattr(os, name, self.around(getattr(os, name)))


def store(home: Path) -> Store:
    opened = Home(home)
    return Store(opened, Database(opened), "unixfs-v1-2025")


def content(folder: Path) -> Path:
    """A folder whose DAG has everything: several leaves, equal files, an empty one, a link, a folder inside."""
    tree = folder / "tree"
    (tree / "inner").mkdir(parents=True)
    (tree / "weights").write_bytes(bytes(range(256)) * 10_000)
    (tree / "inner" / "copy").write_bytes(bytes(range(256)) * 10_000)
    (tree / "inner" / "empty").touch()
    (tree / "link").symlink_to("weights")
    return tree


def make_car(folder: Path, tree: Path) -> Path:
    """A CAR of the tree and of a block of another codec above it."""
    maker = store(folder / "maker")
    (stored,) = maker.put([tree])
    data = dagcbor.encode({"link": CID.parse(stored.cid), "bulk": bytes(1000)})
    top = CID.of(data, DAG_CBOR)
    with maker.session() as session:
        session.block(top, data)
        session.commit([(top, "store", "top", "block")])
    maker.export_car(top, folder / "tree.car")
    return folder / "tree.car"


def prepare(home: Path, command: str, folder: Path) -> None:
    """The state before: something that is kept, and for gc something that is not."""
    before = store(home)
    (folder / "kept").write_bytes(b"kept" * 600_000)
    list(before.put([folder / "kept"]))
    if command == "gc":
        imported = before.import_car(folder / "tree.car")
        before.remove(imported.roots)


def run(home: Path, command: str, folder: Path) -> str:
    """The command under test; returns what it must give each time."""
    opened = store(home)
    if command == "put":
        (stored,) = opened.put([folder / "tree"])
        return stored.cid
    if command == "import":
        return opened.import_car(folder / "tree.car").roots[0]
    opened.gc()
    return str(len(list((home / "objects").glob("*/*"))))


def inspect(home: Path, command: str, folder: Path, expected: str) -> None:
    """What must hold after the crash, and after the command was repeated."""
    opened = store(home)
    serious = [finding for finding in opened.check() if finding.kind != "rubbish"]
    assert not serious, serious
    kept = [entry.cid for entry in opened.ls().entries]
    assert kept, "what was kept before is gone"
    opened.verify(kept)
    assert run(home, command, folder) == expected
    assert opened.check() == [], opened.check()
    assert not list((home / "staging").iterdir())
    opened.verify()


def forked(work: Callable[[], None]) -> int:
    """Run in a process of its own; return how it ended."""
    child = os.fork()
    if child == 0:
        status = 70
        try:
            work()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    return os.waitpid(child, 0)[1]


def crash(home: Path, command: str, folder: Path, at: int) -> None:
    """Run the command, and die at the chosen step; a fuse that outlives the command is burnt at its end."""
    fuse = Fuse(at)
    fuse.set()
    run(home, command, folder)
    fuse.burn()


def main() -> None:
    command, folder = sys.argv[1], Path(sys.argv[2])
    staging.INLINE_BYTES = 200  # So that inner nodes and the block are files of their own.
    make_car(folder, content(folder))
    template, home, expected_file = folder / "template", folder / "home", folder / "expected"
    forked(lambda: prepare(template, command, folder))
    shutil.copytree(template, folder / "whole")
    forked(lambda: expected_file.write_text(run(folder / "whole", command, folder)) and None)
    expected = expected_file.read_text()
    killed, failures = 0, []
    while True:
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(template, home)
        status = forked(partial(crash, home, command, folder, killed + 1))
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0, "the command failed by itself"
            break
        killed += 1
        if forked(partial(inspect, home, command, folder, expected)) != 0:
            failures.append(killed)
    print(json.dumps({"killed": killed, "failures": failures, "expected": expected}))


if __name__ == "__main__":
    main()
