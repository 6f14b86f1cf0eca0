"""Starts a worker process that leaves its terminal, works the queue until it is empty, and ends."""

from __future__ import annotations

import os
import subprocess
import sys

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.paths import Home

COMMAND = "ipfs-accel job work"
LOG_NAME = "job-worker.log"
_LARGEST_LOG_BYTES = 1 << 20


def start(home: Home, *, wanted: bool) -> str:
    """Start a worker for a home and say so, or say why not and what to type; two at once do no harm."""
    if not wanted:
        return f"nobody yet: {COMMAND}"
    if not current().principal.may("job:write"):
        # Whoever may only add a job does not decide that this machine begins to work.
        return f"nobody yet: the owner of this node runs {COMMAND}"
    log = home.ensure() / LOG_NAME
    with log.open("ab" if _size(log) < _LARGEST_LOG_BYTES else "wb") as stream:
        log.chmod(0o600)
        subprocess.Popen(
            [sys.executable, "-m", "ipfs_accel_cli", "--home", str(home.path), "job", "work", "--drain", "--quiet"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stream,
            cwd=home.path,
            env=_environment(),
            start_new_session=True,
        )
    return "started"


def _environment() -> dict[str, str]:
    """Return this process's environment, with what makes this very program importable from the home."""
    found = [os.path.abspath(part) for part in sys.path if part and os.path.isdir(os.path.join(part, "ipfs_accel_cli"))]
    paths = [*found, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    if "" in sys.path:
        paths.insert(0, os.getcwd())
    return {**os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(map(os.path.abspath, paths)))}


def _size(path: os.PathLike[str]) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
