"""What ends a process at the n-th of its steps that change the disk."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Callable
from typing import Any

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
