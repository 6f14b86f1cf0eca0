"""One job, run under its own call and ended as it deserves."""

from __future__ import annotations

import logging
import traceback
from typing import Literal

from ipfs_accel_cli.core.call import using
from ipfs_accel_cli.core.errors import AccelError, Cancelled, classified
from ipfs_accel_cli.core.jobs.model import JSON, Lease, LeaseLost, State
from ipfs_accel_cli.core.jobs.queue import Queue
from ipfs_accel_cli.services.job.handlers import Handler
from ipfs_accel_cli.services.job.heart import Beating, Heart
from ipfs_accel_cli.services.job.notes import Notes

Ended = Literal["done", "failed", "parked", "paused", "cancelled", "handed back", "lost"]

MOST_ERRORS = 1000

_LOG = logging.getLogger("ipfs_accel_cli.jobs")


def run(queue: Queue, heart: Heart, lease: Lease, handler: Handler, *, offline: bool) -> Ended:
    """Run a job to its end and write down how it ended; where the lease was lost nothing is written."""
    notes = Notes()
    call = lease.caller.call(notes, lease.title or lease.kind)
    call.offline = call.offline or offline
    one = Beating(lease, call, notes)
    with heart.during(one):
        try:
            with using(call):
                result = handler(lease)
        except BaseException as error:
            return _badly(queue, one, error)
        return _well(queue, one, result)


def problem_of(error: BaseException) -> AccelError:
    """Return our error for whatever ended a job."""
    known = classified(error)
    return known if known is not None else AccelError(f"{type(error).__name__}: {error}")


def _well(queue: Queue, one: Beating, result: JSON) -> Ended:
    try:
        with one.lock, queue.database.write():
            one.ended = True
            progress, lines = one.notes.taken(whole=True)
            queue.note(one.lease, progress, lines)
            queue.finish(one.lease, result)
    except LeaseLost:
        return "lost"
    return "done"


def _badly(queue: Queue, one: Beating, error: BaseException) -> Ended:
    problem = problem_of(error)
    stopped = one.call.stopped.is_set() and isinstance(problem, Cancelled)
    if classified(error) is None:
        one.notes.line("".join(traceback.format_exception(error)))
    if not stopped:
        one.notes.line(f"error: {problem.detail}")
    asked = problem.context.get("retry_after_s")
    try:
        with one.lock, queue.database.write():
            one.ended = True
            progress, lines = one.notes.taken(whole=True)
            queue.note(one.lease, progress, lines)
            if stopped:
                state = queue.hand_back(one.lease)
            else:
                state = queue.fail(
                    one.lease,
                    _kept(problem),
                    retryable=problem.retryable,
                    asked_seconds=float(asked) if isinstance(asked, int | float) else 0.0,
                )
    except LeaseLost:
        return "lost"
    return _name(state, stopped=stopped)


def _kept(problem: AccelError) -> JSON:
    """Return a problem as it is kept: who fails a million items names enough of them."""
    kept: dict[str, JSON] = problem.problem()
    if len(problem.errors) > MOST_ERRORS:
        kept["errors"] = [*problem.errors[:MOST_ERRORS]]
    return kept


def _name(state: State, *, stopped: bool) -> Ended:
    if state is State.WAITING:
        return "handed back" if stopped else "failed"
    names: dict[State, Ended] = {State.PARKED: "parked", State.PAUSED: "paused", State.CANCELLED: "cancelled"}
    return names[state]
