"""The durable queue on a real database: order, leases, failures, needs."""

from __future__ import annotations

import pytest

from ipfs_accel_cli.core import events
from ipfs_accel_cli.core.call import Principal
from ipfs_accel_cli.core.errors import Conflict, Invalid, NotFound
from ipfs_accel_cli.core.jobs.leasing import KEPT_LINES
from ipfs_accel_cli.core.jobs.model import Caller, Lease, LeaseLost, State, Wish
from ipfs_accel_cli.core.jobs.queue import Queue
from tests.unit.core.jobs.conftest import Clock


def claimed(queue: Queue, *kinds: str) -> Lease:
    lease = queue.claim("worker", kinds)
    assert lease is not None
    return lease


def test_jobs_run_by_importance_and_then_in_the_order_in_which_they_came(queue: Queue) -> None:
    first, urgent, third = queue.add("a", 1), queue.add("a", 2, priority=5), queue.add("a", 3)

    assert [claimed(queue).job for _ in range(3)] == [urgent, first, third]
    assert queue.claim("worker") is None


def test_what_waited_long_goes_before_what_is_new_and_important(queue: Queue, clock: Clock) -> None:
    old = queue.add("a", None)
    clock.now += 601
    queue.add("a", None, priority=10)

    assert claimed(queue).job == old


def test_a_job_keeps_its_arguments_result_and_who_asked(queue: Queue, tmp_path: object) -> None:
    caller = Caller(Principal("ann", "mcp", frozenset({"model:read"})), offline=True, folders=())
    job = queue.add("a", {"name": "é", "deep": [1, None]}, title="ipfs-accel a", caller=caller)

    lease = claimed(queue)
    queue.finish(lease, {"answer": 42})

    assert (lease.arguments, lease.caller) == ({"name": "é", "deep": [1, None]}, caller)
    kept = queue.get(job)
    assert (kept.state, kept.result, kept.title) == (State.DONE, {"answer": 42}, "ipfs-accel a")


def test_a_unique_key_gives_the_job_that_is_there_until_it_ended(queue: Queue) -> None:
    job = queue.add("a", 1, unique="nightly")

    assert queue.add("a", 2, unique="nightly") == job
    queue.finish(claimed(queue))
    assert queue.add("a", 3, unique="nightly") != job


def test_a_job_waits_until_its_time(queue: Queue, clock: Clock) -> None:
    queue.add("a", None, run_at=clock.now + 10)

    assert queue.claim("worker") is None
    clock.now += 10
    claimed(queue)


def test_kinds_and_backends_run_beside_each_other_within_their_limits(queue: Queue) -> None:
    queue.add("single", None)
    queue.add("single", None)
    queue.add("copy", None, backends=["s3", "hub"])
    queue.add("copy", None, backends=["s3"])

    leases = [claimed(queue), claimed(queue)]
    assert [one.kind for one in leases] == ["single", "copy"]
    assert queue.claim("worker") is None
    for lease in leases:
        queue.finish(lease)
    assert [claimed(queue).kind for _ in range(2)] == ["single", "copy"]


def test_a_job_waits_for_all_that_it_needs(queue: Queue) -> None:
    needed = [queue.add("a", None), queue.add("a", None)]
    job = queue.add("b", None, needs=needed)

    queue.finish(claimed(queue))
    assert queue.claim("worker", ["b"]) is None
    queue.finish(claimed(queue))
    assert claimed(queue).job == job


def test_needs_must_exist(queue: Queue) -> None:
    with pytest.raises(NotFound):
        queue.add("b", None, needs=["nobody"])

    assert queue.listed() == []


def test_who_needs_a_cancelled_job_is_cancelled_too(queue: Queue) -> None:
    first = queue.add("a", None)
    second = queue.add("a", None, needs=[first])
    third = queue.add("a", None, needs=[second])

    queue.cancel(first)

    assert [queue.get(job).state for job in (first, second, third)] == [State.CANCELLED] * 3
    with pytest.raises(Conflict):
        queue.add("a", None, needs=[first])


def test_a_worker_whose_lease_ran_out_cannot_finish(queue: Queue, clock: Clock) -> None:
    job = queue.add("a", None)
    late = claimed(queue)
    clock.now += queue.lease_seconds + 60
    assert queue.claim("other") is None  # It waits a little first: what killed the worker may still be there.
    clock.now += 60
    other = queue.claim("other")
    assert other is not None
    assert other.attempt == late.attempt + 1

    for act in (queue.finish, queue.heartbeat, queue.hand_back, lambda one: queue.fail(one, {}, retryable=True)):
        with pytest.raises(LeaseLost):
            act(late)
    queue.finish(other, "mine")
    assert queue.get(job).result == "mine"


def test_a_heartbeat_keeps_a_job(queue: Queue, clock: Clock) -> None:
    queue.add("a", None)
    lease = claimed(queue)
    for _ in range(10):
        clock.now += queue.lease_seconds * 0.9
        queue.heartbeat(lease)
        assert queue.claim("other") is None

    queue.finish(lease)


def test_a_failed_job_is_tried_again_later_and_parked_in_the_end(queue: Queue, clock: Clock) -> None:
    job = queue.add("a", None, max_attempts=3)
    states = []
    for _ in range(3):
        states.append(queue.fail(claimed(queue), {"detail": "busy"}, retryable=True))
        assert queue.claim("worker") is None
        clock.now += 60

    assert states == [State.WAITING, State.WAITING, State.PARKED]
    assert queue.get(job).problem == {"detail": "busy"}


def test_who_gets_further_each_time_has_not_failed_in_a_row(queue: Queue, clock: Clock) -> None:
    job = queue.add("a", None, max_attempts=2)
    for done in range(1, 10):
        lease = claimed(queue)
        queue.progress(lease, done, 10)
        assert queue.fail(lease, {}, retryable=True) is State.WAITING
        clock.now += 60

    lease = claimed(queue)
    queue.progress(lease, 9, 10)
    assert queue.fail(lease, {}, retryable=True) is State.PARKED
    assert queue.get(job).attempt == 10


def test_a_parked_job_runs_again_when_a_person_says_so(queue: Queue) -> None:
    job = queue.add("a", None)
    assert queue.fail(claimed(queue), {}, retryable=False) is State.PARKED

    assert queue.retry(job) is State.WAITING
    queue.finish(claimed(queue))


def test_a_running_job_hears_that_it_is_cancelled(queue: Queue) -> None:
    job = queue.add("a", None)
    lease = claimed(queue)

    assert queue.cancel(job) is State.RUNNING
    assert queue.heartbeat(lease) is Wish.CANCEL
    assert queue.hand_back(lease) is State.CANCELLED


def test_a_paused_job_keeps_its_place(queue: Queue) -> None:
    first, second = queue.add("a", None), queue.add("a", None)
    queue.pause(first)
    lease = claimed(queue)
    assert lease.job == second
    queue.pause(second)
    assert queue.hand_back(lease) is State.PAUSED

    queue.resume(second)
    queue.resume(first)
    assert [claimed(queue).job, claimed(queue).job] == [first, second]


def test_a_job_whose_worker_died_after_a_cancellation_is_cancelled(queue: Queue, clock: Clock) -> None:
    job = queue.add("a", None)
    claimed(queue)
    queue.cancel(job)
    clock.now += queue.lease_seconds + 1

    assert queue.claim("other") is None
    assert queue.get(job).state is State.CANCELLED


def test_progress_and_log_lines_are_kept(queue: Queue) -> None:
    job = queue.add("a", None)
    lease = claimed(queue)
    queue.progress(lease, 5, 10, "Copying", "bytes")
    queue.log(lease, "one")
    queue.log(lease, "two")

    kept = queue.get(job)
    assert (kept.done, kept.total, kept.message, kept.unit) == (5, 10, "Copying", "bytes")
    first, second = queue.logs(job)
    assert (first.line, second.line, first.attempt) == ("one", "two", 1)
    assert queue.logs(job, since=first.sequence) == [second]


def test_a_log_keeps_its_newest_lines(queue: Queue) -> None:
    job = queue.add("a", None)
    lease = claimed(queue)
    for start in range(0, KEPT_LINES + 500, 500):
        queue.note(lease, lines=map(str, range(start, start + 500)))

    lines = queue.logs(job, limit=-1)
    assert len(lines) == KEPT_LINES
    assert lines[-1].line == str(KEPT_LINES + 499)


def test_pruning_forgets_what_ended_but_nothing_that_is_still_needed(queue: Queue, clock: Clock) -> None:
    done = queue.add("a", None)
    parked = queue.add("b", None)
    waiting = queue.add("c", None, needs=[parked])
    queue.finish(claimed(queue, "a"))
    queue.fail(claimed(queue, "b"), {}, retryable=False)
    clock.now += 1

    assert queue.prune([State.DONE, State.PARKED], clock.now) == [done]
    assert {one.id for one in queue.listed()} == {parked, waiting}


def test_jobs_are_found_by_a_part_of_their_id_that_no_other_has(queue: Queue) -> None:
    job, other = queue.add("a", None), queue.add("a", None)

    assert queue.get(job[-8:]).id == job
    with pytest.raises(Invalid):
        queue.get(job[:8])
    for name in ("nobody", "%", "____", other[-3:]):
        with pytest.raises(NotFound):
            queue.get(name)


def test_each_change_is_told_in_order(queue: Queue) -> None:
    job = queue.add("a", None)
    queue.fail(claimed(queue), {}, retryable=False)
    queue.retry(job)
    queue.hand_back(claimed(queue))
    queue.finish(claimed(queue))

    told = [one.kind for one in events.since(queue.database, 0, ("job",)) if one.subject == job]
    assert told == ["added", "started", "parked", "retried", "started", "handed-back", "started", "finished"]


def test_a_job_added_in_a_transaction_that_failed_was_never_there(queue: Queue) -> None:
    with pytest.raises(RuntimeError), queue.database.write():
        queue.add("a", None)
        raise RuntimeError

    assert queue.listed() == []
    queue.add("a", None)
    claimed(queue)
