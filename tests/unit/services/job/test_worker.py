"""Workers: what they run, in whose name, and how they let go of it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ipfs_accel_cli.core.call import Principal, current
from ipfs_accel_cli.core.errors import Invalid, NotAuthorised, Offline, TryAgain
from ipfs_accel_cli.core.jobs.decide import Limits
from ipfs_accel_cli.core.jobs.model import JSON, Caller, Lease, State
from ipfs_accel_cli.core.jobs.presence import Presence
from ipfs_accel_cli.services.job.worker import Plan
from tests.unit.services.job.conftest import Shop


def endless(lease: Lease) -> JSON:
    """Work until told to stop."""
    while True:
        current().progress(1, 2, "working")
        current().stopped.wait(0.02)


def test_a_worker_keeps_results_progress_and_what_was_written(shop: Shop) -> None:
    def work(lease: Lease) -> JSON:
        current().progress(3, 4, "Adding up", unit="bytes")
        current().emit("one\ntw")
        current().emit("o")
        return {"sum": sum(lease.arguments)}  # type: ignore[arg-type]

    job = shop.queue.add("test", [1, 2, 3])

    assert shop.worked(work) == {"done": 1}
    kept = shop.queue.get(job)
    assert (kept.state, kept.result, kept.done, kept.message) == (State.DONE, {"sum": 6}, 3, "Adding up")
    assert [line.line for line in shop.queue.logs(job)] == ["one", "two"]


def test_a_job_runs_as_who_asked_for_it(shop: Shop, tmp_path: Path) -> None:
    def work(lease: Lease) -> JSON:
        call = current()
        with pytest.raises(NotAuthorised):
            call.path("/etc/passwd")
        with pytest.raises(Offline):
            call.needs_network("this")
        return [call.principal.name, str(call.path(tmp_path / "file"))]

    caller = Caller(Principal("ann", "mcp", frozenset({"model:read"})), offline=True, folders=(tmp_path,))
    job = shop.queue.add("test", None, caller=caller)
    shop.worked(work)

    assert shop.queue.get(job).result == ["ann", str(tmp_path / "file")]


@pytest.mark.parametrize(
    ("error", "state", "code"),
    [
        (Invalid("no such thing"), State.PARKED, "invalid-input"),
        (ValueError("a bug"), State.PARKED, "internal"),
        (TryAgain("busy", retry_after_s=3600), State.WAITING, "try-again"),
    ],
)
def test_only_errors_that_may_go_away_are_tried_again(shop: Shop, error: Exception, state: State, code: str) -> None:
    def work(lease: Lease) -> JSON:
        raise error

    job = shop.queue.add("test", None)
    shop.worked(work, Plan(once=True))

    kept = shop.queue.get(job)
    assert (kept.state, (kept.problem or {})["code"]) == (state, code)
    assert str(error.args[0]) in shop.queue.logs(job)[-1].line


def test_a_server_that_asks_for_time_gets_it(shop: Shop) -> None:
    def work(lease: Lease) -> JSON:
        raise TryAgain("busy", retry_after_s=3600)

    job = shop.queue.add("test", None)
    shop.worked(work, Plan(once=True))

    assert shop.queue.get(job).run_at >= shop.queue.clock() + 3500


@pytest.mark.parametrize(("verb", "state"), [("cancel", State.CANCELLED), ("pause", State.PAUSED)])
def test_a_running_job_stops_when_it_is_asked_to(shop: Shop, verb: str, state: State) -> None:
    job = shop.queue.add("test", None)
    with shop.working(endless):
        shop.until(job, State.RUNNING)
        getattr(shop.queue, verb)(job)

        assert shop.until(job, State.CANCELLED, State.PAUSED, State.DONE) is state


def test_a_worker_that_ends_hands_its_jobs_back_and_counts_no_failure(shop: Shop) -> None:
    job = shop.queue.add("test", None)
    with shop.working(endless):
        shop.until(job, State.RUNNING)

    kept = shop.queue.get(job)
    assert (kept.state, kept.failures, shop.queue.workers()) == (State.WAITING, 0, [])
    assert shop.worked(lambda lease: lease.attempt) == {"done": 1}
    assert shop.queue.get(job).result == 2


def test_a_long_job_without_a_word_keeps_its_lease(shop: Shop) -> None:
    finish = threading.Event()
    job = shop.queue.add("test", None)
    with shop.working(lambda lease: finish.wait(30)):
        shop.until(job, State.RUNNING)
        until = shop.queue.get(job).lease_until
        for _ in range(200):
            if shop.queue.get(job).lease_until != until:
                break
            finish.wait(0.02)
        assert shop.queue.claim("other") is None
        finish.set()

        assert shop.until(job, State.DONE) is State.DONE


def test_who_lost_its_lease_stops_and_writes_nothing(shop: Shop) -> None:
    job = shop.queue.add("test", None)
    with shop.working(endless):
        shop.until(job, State.RUNNING)
        with shop.database.write() as connection:
            connection.execute("UPDATE jobs SET attempt = attempt + 1, worker = 'other', lease_until = 1e12")
    kept = shop.queue.get(job)

    assert (kept.state, kept.worker) == (State.RUNNING, "other")


def test_jobs_of_other_kinds_are_left_to_other_workers(shop: Shop) -> None:
    job = shop.queue.add("unknown", None)

    assert shop.worked(lambda lease: None, Plan(once=True)) == {}
    assert shop.queue.get(job).state is State.WAITING


def test_several_run_at_once(shop: Shop) -> None:
    together = threading.Barrier(2, timeout=30)
    for _ in range(2):
        shop.queue.add("test", None)

    def work(lease: Lease) -> JSON:
        together.wait()
        return None

    assert shop.worked(work, Plan(threads=2, drain=True)) == {"done": 2}


def test_a_worker_that_drains_does_not_wait_for_what_no_limit_lets_run(shop: Shop) -> None:
    shop.queue.limits = Limits(backends={"cold": 0})
    job = shop.queue.add("test", None, backends=["cold"])

    assert shop.worked(lambda lease: None) == {}
    assert shop.queue.get(job).state is State.WAITING


def test_a_job_that_says_too_much_keeps_a_bounded_log(shop: Shop) -> None:
    job = shop.queue.add("test", None)
    shop.worked(lambda lease: current().emit("line\n" * 50_000))

    lines = shop.queue.logs(job, limit=100_000)
    assert len(lines) < 10_000
    assert "left out" in lines[-1].line


def test_the_leases_of_a_dead_process_are_given_on_at_once(shop: Shop) -> None:
    # Ended, and never asked how: what a worker becomes whose parent is gone or does not care.
    dead = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, dead.pid, os.WEXITED | os.WNOWAIT)
    now = shop.queue.clock()
    shop.queue.announce(Presence("gone", socket.gethostname(), dead.pid, (), 1, now, now))
    job = shop.queue.add("test", None)
    lease = shop.queue.claim("gone")
    assert lease is not None
    with shop.database.write() as connection:
        connection.execute("UPDATE jobs SET lease_until = ?", (now + 3600,))

    assert shop.worked(lambda one: one.attempt) == {"done": 1}
    assert shop.queue.get(job).result == 2
    dead.wait()
