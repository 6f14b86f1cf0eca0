"""Which worker processes are there: each says so, and says again that it still is."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ipfs_accel_cli.core.jobs.decide import Limits
from ipfs_accel_cli.core.jobs.leasing import claimable


@dataclass(frozen=True, slots=True)
class Presence:
    """One worker process; no kinds are all kinds."""

    id: str
    host: str
    pid: int
    kinds: tuple[str, ...]
    threads: int
    started_at: float
    seen_at: float


def announce(connection: sqlite3.Connection, one: Presence) -> None:
    """Say that a worker process is there, until it says that it has ended."""
    bury(connection, one.host, one.seen_at)
    connection.execute(
        "INSERT OR REPLACE INTO job_workers (id, host, pid, kinds, threads, started_at, seen_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (one.id, one.host, one.pid, json.dumps(one.kinds), one.threads, one.started_at, one.seen_at),
    )


def bury(connection: sqlite3.Connection, host: str, now: float) -> None:
    """Let the leases of dead processes of this machine run out now, since nobody will renew them."""
    for known in known_workers(connection):
        if known.host == host and not _lives(known.pid):
            connection.execute("DELETE FROM job_workers WHERE id = ?", (known.id,))
            connection.execute(
                "UPDATE jobs SET lease_until = ? WHERE state = 'running' AND worker = ? AND lease_until > ?",
                (now, known.id, now),
            )


def seen(connection: sqlite3.Connection, worker: str, now: float) -> None:
    """Say that a worker still is there, and look after the others of its machine."""
    bury(connection, socket.gethostname(), now)
    connection.execute("UPDATE job_workers SET seen_at = ? WHERE id = ?", (now, worker))


def leave(connection: sqlite3.Connection, worker: str) -> None:
    """Say that a worker process has ended."""
    connection.execute("DELETE FROM job_workers WHERE id = ?", (worker,))


def leave_if_idle(
    connection: sqlite3.Connection, worker: str, kinds: Sequence[str], until: float, limits: Limits
) -> bool:
    """Leave where nothing runs and nothing may run before `until`.

    In one transaction with the look: who adds a job afterwards finds no worker and starts one, who added it before is
    seen here.
    """
    running = connection.execute("SELECT 1 FROM jobs WHERE state = 'running' LIMIT 1").fetchone()
    if running or claimable(connection, kinds, until, limits):
        return False
    leave(connection, worker)
    return True


def living(connection: sqlite3.Connection, now: float, patience_seconds: float) -> list[Presence]:
    """Return the workers that live: on this machine by their process, elsewhere by when they were last heard of."""
    here = socket.gethostname()
    return [
        one
        for one in known_workers(connection)
        if now - one.seen_at <= patience_seconds and (one.host != here or _lives(one.pid))
    ]


def known_workers(connection: sqlite3.Connection) -> list[Presence]:
    """Return the workers that said they are there."""
    rows = connection.execute("SELECT * FROM job_workers ORDER BY started_at, id").fetchall()
    return [
        Presence(
            id=row["id"],
            host=row["host"],
            pid=row["pid"],
            kinds=tuple(json.loads(row["kinds"])),
            threads=row["threads"],
            started_at=row["started_at"],
            seen_at=row["seen_at"],
        )
        for row in rows
    ]


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    """Say whether a process has ended and only waits for a parent that, as in many containers, never asks."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] in ("Z", "X")
