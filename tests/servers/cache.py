"""Where test servers that other people wrote are installed: once for all checkouts, outside of them."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def cache(kind: str) -> Path:
    """Return the folder for one kind of package."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = base / "ipfs-accel-tests" / kind
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let one process at a time install."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
