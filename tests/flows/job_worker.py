"""A worker process to be killed: `job_worker.py HOME LEDGER [drain]`; its handler appends steps to a ledger."""

from __future__ import annotations

import fcntl
import os
import sys
import time
from pathlib import Path

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.jobs.model import JSON, Lease
from ipfs_accel_cli.core.jobs.queue import Queue
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.services.job.worker import Plan, Worker

STEPS = 4
# Short, so that what was killed goes on at once; a slow machine only makes two work on one job, which is no harm.
LEASE_SECONDS = 1.0


def opened(home: Path) -> Queue:
    return Queue(Database(Home(home)), lease_seconds=LEASE_SECONDS, chance=lambda: 0.0)


def main(home: Path, ledger: Path, *, drain: bool) -> None:
    def handler(lease: Lease) -> JSON:
        for step in range(STEPS):
            append(ledger, f"{lease.job} {step}")
            current().progress(step + 1, STEPS)
            time.sleep(0.01)
        return lease.job

    Worker(opened(home), {"steps": handler}, Plan(threads=2, drain=drain)).run()


def append(ledger: Path, line: str) -> None:
    """Append a line unless it is there already; a line that was cut off counts as none."""
    with ledger.open("a+b") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        stream.seek(0)
        if line not in whole_lines(stream.read()):
            stream.seek(0, os.SEEK_END)
            stream.write(f"\n{line}.\n".encode())
            stream.flush()
            os.fsync(stream.fileno())


def whole_lines(data: bytes) -> list[str]:
    return [line.removesuffix(".") for line in data.decode().split("\n") if line.endswith(".")]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), drain="drain" in sys.argv[3:])
