"""Doing things without the right to write: the superuser, as whom tests may run, has every right."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable
from pathlib import Path


def protect(folder: Path) -> None:
    """Let nobody but the superuser write anything in a folder, and everybody read it."""
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)


def without_rights(work: Callable[[], None]) -> int:
    """Run in a process of its own that is nobody's; return its exit status. The superuser may write everything."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.chdir("/")
            if os.getuid() == 0:
                os.setuid(65534)
            work()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
