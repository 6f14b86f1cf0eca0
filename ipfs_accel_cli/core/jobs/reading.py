"""What can be asked of the queue; none of it makes a table or takes a lock."""

from __future__ import annotations

from collections.abc import Sequence

from ipfs_accel_cli.core.call import Principal
from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.errors import Invalid, NotFound
from ipfs_accel_cli.core.jobs.model import Job, Line, State, job_of

_SHORTEST = 4
# A result may be large, and a list shows none.
_WITHOUT_RESULT = (
    "id, kind, arguments, title, caller, priority, state, wish, unique_key, backends, max_attempts, attempt, failures,"
    " created_at, run_at, started_at, ended_at, worker, lease_until, done, total, unit, message, problem,"
    " NULL AS result"
)
OF_PRINCIPAL = "json_extract(caller, '$.principal.name') = ? AND json_extract(caller, '$.principal.kind') = ?"


def get(database: Database, name: str) -> Job:
    """Return a job by its id, or by four or more characters that only its id begins or ends with."""
    rows = database.rows("SELECT * FROM jobs WHERE id = ?", (name,))
    if not rows and len(name) >= _SHORTEST and name.replace("-", "").isalnum():
        rows = database.rows("SELECT * FROM jobs WHERE id LIKE ? OR id LIKE ? LIMIT 2", (f"{name}%", f"%{name}"))
    if not rows:
        raise NotFound(f"no job {name!r}", suggestion="ipfs-accel job ls")
    if len(rows) > 1:
        raise Invalid(f"{name!r} is the beginning or end of several jobs' ids", suggestion="ipfs-accel job ls -q")
    return job_of(rows[0])


def listed(
    database: Database,
    states: Sequence[State] = (),
    kinds: Sequence[str] = (),
    limit: int = 1000,
    whose: Principal | None = None,
) -> list[Job]:
    """Return jobs without their results, all or those of one principal, the newest first."""
    parts, values = ["1 = 1"], []
    if whose is not None:
        parts, values = [OF_PRINCIPAL], [whose.name, whose.kind]
    for column, chosen in (("state", states), ("kind", kinds)):
        if chosen:
            parts.append(f"{column} IN ({', '.join('?' * len(chosen))})")
            values += list(map(str, chosen))
    query = f"SELECT {_WITHOUT_RESULT} FROM jobs WHERE {' AND '.join(parts)} ORDER BY id DESC LIMIT ?"  # noqa: S608 - only marks
    return [job_of(row) for row in database.rows(query, (*values, limit))]


def logs(database: Database, job: str, since: int = 0, limit: int = 1000) -> list[Line]:
    """Return the lines of a job's log after a sequence number, the oldest first."""
    query = "SELECT sequence, at, attempt, line FROM job_logs WHERE job = ? AND sequence > ? ORDER BY sequence LIMIT ?"
    return [Line(*row) for row in database.rows(query, (job, since, limit))]


def needs(database: Database, job: str) -> list[tuple[str, State | None]]:
    """Return what a job needs, with its state; None for a job that was done and pruned."""
    query = (
        "SELECT job_needs.needs, jobs.state FROM job_needs LEFT JOIN jobs ON jobs.id = job_needs.needs"
        " WHERE job_needs.job = ? ORDER BY 1"
    )
    return [(needed, State(state) if state else None) for needed, state in database.rows(query, (job,))]


def counts(database: Database) -> dict[State, int]:
    """Return how many jobs there are of each state."""
    found = {State(state): count for state, count in database.rows("SELECT state, count(*) FROM jobs GROUP BY state")}
    return {state: found.get(state, 0) for state in State}
