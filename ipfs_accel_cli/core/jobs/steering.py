"""What people do to jobs: cancel, pause, resume, retry, and forget those that have ended."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from ipfs_accel_cli.core.call import Principal
from ipfs_accel_cli.core.errors import Conflict, NotFound
from ipfs_accel_cli.core.jobs.changing import cancel_dependents, tell
from ipfs_accel_cli.core.jobs.model import State, Wish
from ipfs_accel_cli.core.jobs.reading import OF_PRINCIPAL


def cancel(connection: sqlite3.Connection, job: str, now: float) -> State:
    """Cancel a job: at once where it does not run, else as soon as its worker hears of it."""
    state = _state(connection, job)
    if state is State.CANCELLED:
        return state
    if state is State.DONE:
        raise Conflict(f"job {job} is done already", suggestion=f"ipfs-accel job show {job}")
    if state is State.RUNNING:
        return _wish(connection, job, Wish.CANCEL)
    connection.execute("UPDATE jobs SET state = 'cancelled', wish = '', ended_at = ? WHERE id = ?", (now, job))
    tell(connection, "cancelled", job, state="cancelled")
    cancel_dependents(connection, job, now)
    return State.CANCELLED


def pause(connection: sqlite3.Connection, job: str) -> State:
    """Keep a job from being run; one that runs stops as soon as its worker hears of it, and keeps what it did."""
    state = _state(connection, job)
    if state is State.PAUSED:
        return state
    if state is State.RUNNING:
        return _wish(connection, job, Wish.PAUSE)
    if state is not State.WAITING:
        raise Conflict(f"job {job} is {state}, so there is nothing to pause", suggestion=f"ipfs-accel job show {job}")
    connection.execute("UPDATE jobs SET state = 'paused' WHERE id = ?", (job,))
    tell(connection, "paused", job, state="paused")
    return State.PAUSED


def resume(connection: sqlite3.Connection, job: str) -> State:
    """Let a paused job run again, in its old place in the line."""
    state = _state(connection, job)
    if state is State.RUNNING:
        # A pause that its worker has not heard of is taken back; a cancellation stays.
        connection.execute("UPDATE jobs SET wish = '' WHERE id = ? AND wish = 'pause'", (job,))
        return state
    if state is State.WAITING:
        return state
    if state is not State.PAUSED:
        next_step = "retry" if state is State.PARKED else "show"
        raise Conflict(f"job {job} is {state}, not paused", suggestion=f"ipfs-accel job {next_step} {job}")
    connection.execute("UPDATE jobs SET state = 'waiting' WHERE id = ?", (job,))
    tell(connection, "resumed", job, state="waiting")
    return State.WAITING


def retry(connection: sqlite3.Connection, job: str, now: float) -> State:
    """Run a parked job again, its failures forgotten; one that waits after a failure runs at once."""
    state = _state(connection, job)
    if state not in (State.PARKED, State.WAITING):
        next_step = "resume" if state is State.PAUSED else "show"
        raise Conflict(f"job {job} is {state}, not parked", suggestion=f"ipfs-accel job {next_step} {job}")
    try:
        connection.execute(
            "UPDATE jobs SET state = 'waiting', failures = 0, run_at = ?, ended_at = NULL, wish = '' WHERE id = ?",
            (now, job),
        )
    except sqlite3.IntegrityError as error:
        raise Conflict(f"another job does the work of {job} already", suggestion="ipfs-accel job ls") from error
    tell(connection, "retried", job, state="waiting")
    return State.WAITING


def prune(
    connection: sqlite3.Connection, states: Sequence[State], before: float, whose: Principal | None = None
) -> list[str]:
    """Forget jobs that ended before a time, with their logs; never one that another job still waits for."""
    theirs, values = ("", ()) if whose is None else (f" AND {OF_PRINCIPAL}", (whose.name, whose.kind))
    rows = connection.execute(
        f"DELETE FROM jobs WHERE state IN ({', '.join('?' * len(states))}) AND ended_at < ?{theirs} AND NOT EXISTS"  # noqa: S608
        " (SELECT 1 FROM job_needs JOIN jobs AS waiting ON waiting.id = job_needs.job"
        " WHERE job_needs.needs = jobs.id AND waiting.state NOT IN ('done', 'cancelled')) RETURNING id",
        (*states, before, *values),
    ).fetchall()
    for (job,) in rows:
        tell(connection, "pruned", job)
    return [job for (job,) in rows]


def _wish(connection: sqlite3.Connection, job: str, wish: Wish) -> State:
    # Who asked to cancel is not overruled by who asks to pause.
    changed = connection.execute(
        "UPDATE jobs SET wish = ? WHERE id = ? AND wish NOT IN (?, 'cancel')", (wish, job, wish)
    )
    if changed.rowcount:
        tell(connection, "asked", job, state="running", wish=str(wish))
    return State.RUNNING


def _state(connection: sqlite3.Connection, job: str) -> State:
    row = connection.execute("SELECT state FROM jobs WHERE id = ?", (job,)).fetchone()
    if row is None:
        raise NotFound(f"no job {job!r}", suggestion="ipfs-accel job ls")
    return State(row["state"])
