"""The steps that change a job's row inside somebody's transaction, each told to the event log."""

from __future__ import annotations

import json
import sqlite3

from ipfs_accel_cli.core import events
from ipfs_accel_cli.core.jobs.decide import Verdict
from ipfs_accel_cli.core.jobs.model import JSON, State

TOPIC = "job"


def tell(connection: sqlite3.Connection, kind: str, job: str, **data: object) -> None:
    """Tell what happened to a job."""
    events.tell(connection, TOPIC, kind, job, **data)


def settle(
    connection: sqlite3.Connection, job: str, verdict: Verdict, now: float, event: str, problem: JSON = None
) -> None:
    """Take a job from its worker and put it where the verdict says; who waits for one that was cancelled goes, too."""
    ended = now if verdict.state in (State.CANCELLED, State.PARKED) else None
    connection.execute(
        "UPDATE jobs SET state = ?, failures = ?, run_at = max(run_at, ?), wish = '', worker = NULL,"
        " lease_until = NULL, ended_at = ?, problem = coalesce(?, problem) WHERE id = ?",
        (
            verdict.state,
            verdict.failures,
            now + verdict.wait_seconds,
            ended,
            None if problem is None else json.dumps(problem),
            job,
        ),
    )
    more = {"wait_seconds": round(verdict.wait_seconds, 3)} if verdict.state is State.WAITING else {}
    tell(connection, event, job, state=str(verdict.state), failures=verdict.failures, **more)
    if verdict.state is State.CANCELLED:
        cancel_dependents(connection, job, now)


def cancel_dependents(connection: sqlite3.Connection, job: str, now: float) -> None:
    """Cancel the jobs that wait for one that will never be done, and those that wait for them."""
    gone = [job]
    for one in gone:
        rows = connection.execute(
            "UPDATE jobs SET state = 'cancelled', ended_at = ?, wish = ''"
            " WHERE state IN ('waiting', 'paused', 'parked') AND id IN (SELECT job FROM job_needs WHERE needs = ?)"
            " RETURNING id",
            (now, one),
        ).fetchall()
        for (dependent,) in rows:
            tell(connection, "cancelled", dependent, state="cancelled", because=one)
            gone.append(dependent)
