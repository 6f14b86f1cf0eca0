"""Leases: who runs a job, for how long, and how it ends."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence

from ipfs_accel_cli.core.jobs.changing import settle, tell
from ipfs_accel_cli.core.jobs.decide import Candidate, Limits, after_failure, after_loss, after_return, next_of
from ipfs_accel_cli.core.jobs.model import JSON, Caller, Lease, LeaseLost, Progress, State, Wish, encoded

# Of one job; the newest are kept.
KEPT_LINES = 10_000

# One that needs a job which is not done is not ready; one that was done and pruned is no need any more.
_READY = (
    "state = 'waiting' AND run_at <= ? AND NOT EXISTS (SELECT 1 FROM job_needs JOIN jobs AS needed"
    " ON needed.id = job_needs.needs WHERE job_needs.job = jobs.id AND needed.state != 'done')"
)


def claim(
    connection: sqlite3.Connection,
    worker: str,
    kinds: Sequence[str],
    now: float,
    until: float,
    limits: Limits,
    chance: Callable[[], float],
) -> Lease | None:
    """Give the next job to a worker, None where none may run now; what dead workers held is taken back before."""
    query = "SELECT id, kind, backends, lease_until FROM jobs WHERE state = 'running'"
    running = connection.execute(query).fetchall()
    if any(row["lease_until"] <= now for row in running):
        take_back(connection, now, chance)
        running = connection.execute(query).fetchall()
    chosen = next_of(_waiting(connection, kinds, now), map(_candidate, running), limits)
    if chosen is None:
        return None
    row = connection.execute(
        "UPDATE jobs SET state = 'running', worker = ?, lease_until = ?, attempt = attempt + 1,"
        " started_at = coalesce(started_at, ?), ended_at = NULL WHERE id = ?"
        " RETURNING attempt, arguments, title, caller",
        (worker, until, now, chosen.id),
    ).fetchone()
    tell(connection, "started", chosen.id, job_kind=chosen.kind, attempt=row["attempt"], worker=worker)
    caller = Caller.parse(row["caller"])
    arguments = json.loads(row["arguments"])
    return Lease(chosen.id, row["attempt"], worker, chosen.kind, arguments, row["title"], caller)


def ready(connection: sqlite3.Connection, kinds: Sequence[str], now: float) -> bool:
    """Say, without a lock, whether there may be something to claim or a lease that ran out."""
    if connection.execute("SELECT 1 FROM jobs WHERE state = 'running' AND lease_until <= ?", (now,)).fetchone():
        return True
    return next(_waiting(connection, kinds, now), None) is not None


def claimable(connection: sqlite3.Connection, kinds: Sequence[str], until: float, limits: Limits) -> bool:
    """Say whether something could be claimed before a time, were nothing else running."""
    return next_of(_waiting(connection, kinds, until), (), limits) is not None


def take_back(connection: sqlite3.Connection, now: float, chance: Callable[[], float]) -> int:
    """Take jobs from workers that have not been heard of in time."""
    lost = connection.execute(
        "SELECT id, failures, max_attempts, wish FROM jobs WHERE state = 'running' AND lease_until <= ?", (now,)
    ).fetchall()
    for row in lost:
        verdict = after_loss(row["failures"], row["max_attempts"], wish=Wish(row["wish"]), chance=chance())
        problem: JSON = None
        if verdict.state is State.PARKED:
            detail = f"the worker that ran it was lost {verdict.failures} times"
            problem = {"code": "unavailable", "title": "Workers were lost", "detail": detail, "retryable": True}
        settle(connection, row["id"], verdict, now, "lost", problem)
    return len(lost)


def asked(connection: sqlite3.Connection, lease: Lease) -> Wish:
    """Return what was asked of a job."""
    return Wish(_mine(connection, lease, "wish")["wish"])


def renew(connection: sqlite3.Connection, lease: Lease, until: float) -> Wish:
    """Hold a job for longer and return what was asked of it meanwhile."""
    row = _mine(connection, lease, "wish")
    connection.execute("UPDATE jobs SET lease_until = ? WHERE id = ?", (until, lease.job))
    return Wish(row["wish"])


def note(
    connection: sqlite3.Connection,
    lease: Lease,
    now: float,
    until: float,
    progress: Progress | None,
    lines: Iterable[str],
) -> Wish:
    """Write how far a job is and what it said; who gets further than ever before has not failed in a row."""
    wish = renew(connection, lease, until)
    if progress is not None:
        done, total, message, unit = progress.done, progress.total, progress.message, progress.unit
        connection.execute(
            "UPDATE jobs SET done = ?, total = ?, message = ?, unit = ?,"
            " failures = CASE WHEN ? > furthest THEN 0 ELSE failures END, furthest = max(furthest, ?) WHERE id = ?",
            (done, total, message, unit, done, done, lease.job),
        )
    connection.executemany(
        "INSERT INTO job_logs (job, at, attempt, line) VALUES (?, ?, ?, ?)",
        [(lease.job, now, lease.attempt, line) for line in lines],
    )
    connection.execute(
        "DELETE FROM job_logs WHERE job = ? AND sequence <="
        " (SELECT sequence FROM job_logs WHERE job = ? ORDER BY sequence DESC LIMIT 1 OFFSET ?)",
        (lease.job, lease.job, KEPT_LINES),
    )
    return wish


def finish(connection: sqlite3.Connection, lease: Lease, now: float, result: JSON) -> None:
    """End a job well and keep its result."""
    done = connection.execute(
        "UPDATE jobs SET state = 'done', wish = '', worker = NULL, lease_until = NULL, ended_at = ?, result = ?,"
        " problem = NULL WHERE id = ? AND attempt = ? AND state = 'running'",
        (now, None if result is None else encoded(result), lease.job, lease.attempt),
    )
    if not done.rowcount:
        raise _lost(lease)
    tell(connection, "finished", lease.job, job_kind=lease.kind, attempt=lease.attempt)


def fail(
    connection: sqlite3.Connection,
    lease: Lease,
    now: float,
    problem: JSON,
    *,
    retryable: bool,
    asked_seconds: float,
    chance: float,
) -> State:
    """End an attempt badly and return what became of the job."""
    row = _mine(connection, lease, "failures, max_attempts, wish")
    verdict = after_failure(
        row["failures"],
        row["max_attempts"],
        retryable=retryable,
        wish=Wish(row["wish"]),
        chance=chance,
        asked_seconds=asked_seconds,
    )
    event = {State.PARKED: "parked", State.CANCELLED: "cancelled"}.get(verdict.state, "failed")
    settle(connection, lease.job, verdict, now, event, problem)
    return verdict.state


def hand_back(connection: sqlite3.Connection, lease: Lease, now: float) -> State:
    """Give a job back unfinished: to be cancelled or paused if that was asked, else for the next worker."""
    row = _mine(connection, lease, "failures, wish")
    verdict = after_return(row["failures"], wish=Wish(row["wish"]))
    events = {State.CANCELLED: "cancelled", State.PAUSED: "paused"}
    settle(connection, lease.job, verdict, now, events.get(verdict.state, "handed-back"))
    return verdict.state


def _mine(connection: sqlite3.Connection, lease: Lease, columns: str) -> sqlite3.Row:
    row: sqlite3.Row | None = connection.execute(
        f"SELECT {columns} FROM jobs WHERE id = ? AND attempt = ? AND state = 'running'",  # noqa: S608 - our own words
        (lease.job, lease.attempt),
    ).fetchone()
    if row is None:
        raise _lost(lease)
    return row


def _lost(lease: Lease) -> LeaseLost:
    return LeaseLost(f"attempt {lease.attempt} no longer holds job {lease.job}")


def _waiting(connection: sqlite3.Connection, kinds: Sequence[str], now: float) -> Iterator[Candidate]:
    chosen = f" AND kind IN ({', '.join('?' * len(kinds))})" if kinds else ""
    query = f"SELECT id, kind, backends FROM jobs WHERE {_READY}{chosen} ORDER BY turn, id"  # noqa: S608 - only marks
    return map(_candidate, connection.execute(query, (now, *kinds)))


def _candidate(row: sqlite3.Row) -> Candidate:
    return Candidate(row["id"], row["kind"], json.loads(row["backends"]))
