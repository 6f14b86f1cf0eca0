"""Worker processes are killed a hundred times, wherever they are: no job is lost, no step is seen twice."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from ipfs_accel_cli.core import events
from ipfs_accel_cli.core.jobs.model import State
from ipfs_accel_cli.core.jobs.queue import Queue
from tests.flows.job_worker import STEPS, opened, whole_lines

KILLS = 100
WORKERS = 3
ROOT = Path(__file__).resolve().parent.parent.parent


def started(home: Path, ledger: Path, *words: str) -> subprocess.Popen[bytes]:
    program = [sys.executable, "-m", "tests.flows.job_worker", str(home), str(ledger), *words]
    return subprocess.Popen(program, cwd=ROOT)


def at_work(queue: Queue, workers: list[subprocess.Popen[bytes]]) -> list[subprocess.Popen[bytes]]:
    """Return the workers that have begun; one that still starts would die without having done anything."""
    while True:
        begun = {one.pid for one in queue.workers()}
        found = [worker for worker in workers if worker.pid in begun]
        if found:
            return found


@pytest.mark.slow
def test_a_hundred_kills_lose_no_job_and_double_no_step(home: Path, tmp_path: Path) -> None:
    queue, ledger, chance = opened(home), tmp_path / "ledger", random.Random(8)
    jobs: list[str] = []
    workers = [started(home, ledger) for _ in range(WORKERS)]
    for _ in range(KILLS):
        jobs += [queue.add("steps", None, max_attempts=1000) for _ in range(4)]
        time.sleep(chance.uniform(0.02, 0.2))
        victim = chance.choice(at_work(queue, workers))
        workers.remove(victim)
        victim.kill()
        victim.wait()
        workers.append(started(home, ledger))
    for worker in workers:
        worker.terminate()
        worker.wait()
    assert started(home, ledger, "drain").wait() == 0

    assert {job.id: job.state for job in queue.listed(limit=-1)} == dict.fromkeys(jobs, State.DONE)
    assert Counter(whole_lines(ledger.read_bytes())) == Counter(
        f"{job} {step}" for job in jobs for step in range(STEPS)
    )
    told = events.since(queue.database, 0, limit=1_000_000)
    assert Counter(one.subject for one in told if one.kind == "finished") == Counter(jobs)
    lost = sum(one.kind == "lost" for one in told)
    # Many were killed in the middle of a job, or this would prove nothing.
    assert lost > KILLS / 4, lost
    queue.database.close()
