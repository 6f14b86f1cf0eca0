"""Jobs as results: what a person wants to know of one at a glance."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from ipfs_accel_cli.core.jobs.model import Job, Line, State
from ipfs_accel_cli.core.units import human_bytes
from ipfs_accel_cli.services.job.results import JobRow, JobShown, LogLine, Need, Steered

NAME_CHARACTERS = 8


def row(job: Job, now: float) -> JobRow:
    """Return a job as a row of the list."""
    return JobRow(**_row(job, now))


def shown(job: Job, needs: Sequence[tuple[str, State | None]], now: float) -> JobShown:
    """Return all of a job."""
    return JobShown.model_validate(
        {
            **_row(job, now),
            "done": job.done,
            "total": job.total,
            "unit": job.unit,
            "max_attempts": job.max_attempts,
            "worker": job.worker,
            "caller": f"{job.caller.principal.name} ({job.caller.principal.kind})",
            "offline": job.caller.offline,
            "folders": None if job.caller.folders is None else [str(folder) for folder in job.caller.folders],
            "backends": list(job.backends),
            "needs": [
                Need(job=needed, state=state.value if state else "done and forgotten") for needed, state in needs
            ],
            "arguments": job.arguments,
            "result": job.result,
            "problem": job.problem,
        }
    )


def steered(job: Job) -> Steered:
    """Return what became of a job."""
    return Steered(id=job.id, state=job.state.value, asked=job.wish.value)


def log_line(line: Line) -> LogLine:
    """Return a line of a log."""
    return LogLine(sequence=line.sequence, at=when(line.at), attempt=line.attempt, line=line.line)


def when(seconds: float) -> str:
    """Return a time as text, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _row(job: Job, now: float) -> dict[str, Any]:
    return {
        "id": job.id,
        "name": job.id[-NAME_CHARACTERS:],
        "state": job.state.value,
        "what": job.title or job.kind,
        "kind": job.kind,
        "priority": job.priority,
        "progress": _share(job),
        "message": _message(job, now),
        "attempt": job.attempt,
        "failures": job.failures,
        "asked": job.wish.value,
        "created_at": when(job.created_at),
        "run_at": when(job.run_at),
        "started_at": None if job.started_at is None else when(job.started_at),
        "ended_at": None if job.ended_at is None else when(job.ended_at),
    }


def _share(job: Job) -> float | None:
    if job.state is State.DONE:
        return 1.0
    if job.done is None or not job.total or job.state in (State.PARKED, State.CANCELLED):
        return None
    return min(1.0, max(0.0, job.done / job.total))


def _message(job: Job, now: float) -> str:
    failed = str((job.problem or {}).get("detail", ""))
    if job.state is State.RUNNING:
        overdue = job.lease_until is not None and job.lease_until <= now
        return "its worker is not heard of; another takes it over" if overdue else _counted(job)
    if job.state is State.PARKED:
        return failed
    if job.state is State.WAITING and failed:
        return f"tried again {'at ' + when(job.run_at) if job.run_at > now else 'next'}: {failed}"
    return _counted(job) if job.state is State.PAUSED else ""


def _counted(job: Job) -> str:
    """Return what a job does, with how much it did where nobody knows of how much."""
    if not job.done or job.total:
        return job.message
    return f"{human_bytes(int(job.done)) if job.unit == 'bytes' else f'{job.done:g}'} {job.message}".rstrip()
