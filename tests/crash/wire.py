"""The calls by which the store changes the disk, with a wire in each: it tells of every step, and can cut the process.

Steps are the calls of `os` that change a file or a folder below the watched one, and the transactions of the state
database. What Python changes without `os` (a file written through a file object) is seen with the next step.

Of SQLite it is taken on trust what its documentation promises: with a write-ahead log and `synchronous = FULL` a
transaction is on the disk when COMMIT returns, and before that it is there wholly or not at all. A commit made with
less than FULL is not believed: such a state database may fall back to what it was before.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.crash.disk import DATABASE

CALLS = (
    "open", "mkdir", "rmdir", "unlink", "rename", "replace", "link", "symlink", "fsync", "fdatasync", "fchmod", "chmod",
    "pwrite", "write", "copy_file_range", "truncate", "ftruncate",
)  # fmt: skip
SYNCS = ("fsync", "fdatasync")
BEGINS_OR_ENDS = ("BEGIN", "COMMIT", "ROLLBACK")


class Dead(BaseException):
    """The process was cut off: nothing that it still tries to do happens."""


class Wire:
    """Watches one folder. `on_step(label)` runs after each step, one at a time.

    `database` is what the state database would be found as after a crash: its file and its log, by their names.
    """

    def __init__(self, root: Path, on_sync: Callable[[int], None], on_step: Callable[[str], None]) -> None:
        self.root = str(root)
        self.database: tuple[tuple[str, bytes], ...] = ()
        self.cut_at: int | None = None
        self.step = 0
        self._on_sync = on_sync
        self._on_step = on_step
        self._dead = False
        self._lock = threading.RLock()

    def arm(self, cut_at: int | None = None) -> None:
        """Count steps from here; cut the process off after this one."""
        self.step, self.cut_at, self._dead = 0, cut_at, False

    @contextmanager
    def laid(self) -> Iterator[None]:
        """Put the wire into the calls for the block."""
        plain = {name: getattr(os, name) for name in CALLS}
        connect = sqlite3.connect
        for name in CALLS:
            setattr(os, name, self._around(name, plain[name]))
        sqlite3.connect = self._connect(connect)
        _watching.append(self._opening)
        try:
            yield
        finally:
            _watching.remove(self._opening)
            sqlite3.connect = connect
            for name, call in plain.items():
                setattr(os, name, call)

    def _around(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def wired(*args: Any, **kwargs: Any) -> Any:
            if not self._concerns(name, args, kwargs):
                return call(*args, **kwargs)
            return self._take(name, lambda: call(*args, **kwargs), args[0] if name in SYNCS else None)

        return wired

    def _take(self, label: str, call: Callable[[], Any], synced: int | None = None) -> Any:
        with self._lock:
            if self._dead:
                raise Dead
            done = call()
            self.step += 1
            if synced is not None:
                self._on_sync(os.fstat(synced).st_ino)
            self._on_step(label)
            if self.step == self.cut_at:
                self._dead = True
                raise Dead
            return done

    def _concerns(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        if name == "open" and not args[1] & os.O_CREAT:
            return False
        places = args[:2] if name in ("rename", "replace", "link") else args[1:2] if "copy" in name else args[:1]
        return any(self._is_below(place, kwargs.get("dir_fd")) for place in places)

    def _is_below(self, place: Any, folder: int | None) -> bool:
        if isinstance(place, int):
            path = _path_of(place)
        elif folder is not None:
            path = f"{_path_of(folder)}/{os.fspath(place)}"
        else:
            path = os.path.abspath(os.fspath(place))
        return str(path).startswith(self.root)

    def _connect(self, connect: Callable[..., sqlite3.Connection]) -> Callable[..., sqlite3.Connection]:
        wire = self

        class Connection(sqlite3.Connection):
            def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
                word = statement.split(None, 1)[0]
                plain = super().execute
                if word not in BEGINS_OR_ENDS:
                    return plain(statement, *values)
                return wire._take(word, lambda: wire._transact(self, word, lambda: plain(statement, *values)))

        def wired(name: Any, *args: Any, **kwargs: Any) -> sqlite3.Connection:
            if str(name).startswith(self.root) and str(name).endswith(DATABASE):
                kwargs["factory"] = Connection
            return connect(name, *args, **kwargs)

        return wired

    def _transact(self, connection: sqlite3.Connection, word: str, call: Callable[[], Any]) -> Any:
        done = call()
        if word == "COMMIT" and connection.execute("PRAGMA synchronous").fetchone()[0] >= 2:
            file = Path(connection.execute("PRAGMA database_list").fetchone()[2])
            files = (file, file.with_name(file.name + "-wal"))
            self.database = tuple((path.name, path.read_bytes()) for path in files if path.exists())
        return done

    def _opening(self, path: Any, mode: Any) -> None:
        """Refuse to open a file for writing to a process that was cut off."""
        writes = str(mode or "r")[0] in "wax"
        if self._dead and writes and isinstance(path, str | os.PathLike) and self._is_below(path, None):
            raise Dead


_watching: list[Callable[[Any, Any], None]] = []


def _audit(event: str, args: tuple[Any, ...]) -> None:
    if event == "open" and _watching:
        for watch in _watching:
            watch(args[0], args[1])


sys.addaudithook(_audit)  # There is no way to take one out again, so it is one for all and idle outside of `laid`.


def _path_of(descriptor: int) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")
    except OSError:
        return ""
