"""The durable queue beside a bare SQLite loop that makes the same durable commits, in turn in one run.

    scripts/bench queue [--jobs N] [--rounds N] [--waiting N]

Each job is three commits: it is added, claimed, and finished. The bare loop writes the same rows (the job, and an event
for each change) in three transactions of its own, with the same settings (WAL, synchronous FULL) on the same disk, with
nothing decided, checked or read. Exits 1 where the queue is slower than its limit.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path

from bench_limits import in_turn

from ipfs_accel_cli.core import events
from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.jobs.ids import TimeOrdered
from ipfs_accel_cli.core.jobs.queue import Queue
from ipfs_accel_cli.core.paths import Home

LEAST = 0.8
ADD = (
    "INSERT INTO jobs (id, kind, arguments, title, caller, priority, turn, state, backends, max_attempts, created_at,"
    " run_at) VALUES (?, 'bench', '{}', '', '{}', 0, 0, 'waiting', '[]', 5, 0, 0)"
)
CLAIM = "UPDATE jobs SET state = 'running', worker = 'w', lease_until = 1, attempt = 1 WHERE id = ?"
FINISH = "UPDATE jobs SET state = 'done', worker = NULL, lease_until = NULL, ended_at = 1, result = '{}' WHERE id = ?"


def queue_loop(queue: Queue, jobs: int) -> None:
    """Add all, then claim and finish each, as a worker does."""
    for _ in range(jobs):
        queue.add("bench", {})
    for _ in range(jobs):
        lease = queue.claim("w")
        if lease is None:
            raise SystemExit("a job is missing")
        queue.finish(lease, {})


def bare_loop(database: Database, ids: TimeOrdered, jobs: int) -> None:
    """The same commits, written straight."""
    connection = database.read()
    made = [ids() for _ in range(jobs)]

    def change(statement: str, kind: str, job: str) -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(statement, (job,))
        events.tell(connection, "job", kind, job, job_kind="bench")
        connection.execute("COMMIT")

    for job in made:
        change(ADD, "added", job)
    for job in made:
        change(CLAIM, "started", job)
        change(FINISH, "finished", job)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=150)
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--waiting", type=int, default=0, help="Jobs that wait all the while for a full backend.")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        ours, bare = (Database(Home(Path(folder) / name)) for name in ("ours", "bare"))
        queue, ids = Queue(ours), TimeOrdered()
        Queue(bare).workers()
        queue.workers()
        for _ in range(chosen.waiting):
            queue.add("later", {}, run_at=queue.clock() + 86_400)
        works = [lambda: queue_loop(queue, chosen.jobs), lambda: bare_loop(bare, ids, chosen.jobs)]
        in_turn(works, 1)
        mine, theirs = in_turn(works, chosen.rounds)
        ratios = [other / own for own, other in zip(mine, theirs, strict=True)]
    ratio = statistics.median(ratios)
    commits = 3 * chosen.jobs
    report = {
        "ratio": round(ratio, 3),
        "least": LEAST,
        "lowest": round(min(ratios), 3),
        "highest": round(max(ratios), 3),
        "queue_commits_s": round(commits / statistics.median(mine)),
        "bare_commits_s": round(commits / statistics.median(theirs)),
    }
    print(json.dumps(report))
    return 0 if ratio >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
