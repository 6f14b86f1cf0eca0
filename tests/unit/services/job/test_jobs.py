"""Jobs as their owners steer them."""

from __future__ import annotations

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.errors import Conflict, NotFound, SomeFailed, TryAgain
from ipfs_accel_cli.core.jobs.queue import Queue


def test_a_job_whose_worker_died_is_cancelled_at_once(node: Node) -> None:
    early = Queue(node.database, clock=lambda: 1000.0)
    job = early.add("test", None)
    early.claim("w")

    (done,) = node.jobs.cancel([job]).jobs
    assert (done.state, done.asked) == ("cancelled", "")


def test_a_running_job_is_asked(node: Node) -> None:
    job = node.jobs.queue.add("test", None)
    node.jobs.queue.claim("w")

    (done,) = node.jobs.pause([job]).jobs
    assert (done.state, done.asked) == ("running", "pause")
    (done,) = node.jobs.resume([job]).jobs
    assert done.asked == ""


def test_of_several_jobs_the_good_ones_are_steered_and_the_bad_ones_named(node: Node) -> None:
    job, other = node.jobs.queue.add("test", None), node.jobs.queue.add("test", None)

    with pytest.raises(SomeFailed) as caught:
        node.jobs.pause([job, "nobody", other])
    assert [part["pointer"] for part in caught.value.errors] == ["nobody"]
    assert {one.state for one in node.jobs.ls().jobs} == {"paused"}
    with pytest.raises(NotFound):
        node.jobs.pause(["nobody"])


def test_resuming_says_whether_anybody_works(node: Node) -> None:
    job = node.jobs.queue.add("test", None)
    node.jobs.pause([job])

    assert node.jobs.resume([job]).worker == "nobody yet: ipfs-accel job work"


def test_what_is_done_is_not_steered(node: Node) -> None:
    job = node.jobs.queue.add("test", None)
    lease = node.jobs.queue.claim("w")
    assert lease is not None
    node.jobs.queue.finish(lease)

    for verb in (node.jobs.cancel, node.jobs.pause, node.jobs.resume, node.jobs.retry):
        with pytest.raises(Conflict):
            verb([job])


def test_waiting_ends_when_its_time_is_over_and_the_job_goes_on(node: Node) -> None:
    job = node.jobs.queue.add("test", None)

    with pytest.raises(TryAgain):
        node.jobs.wait([job], seconds=0)
    assert node.jobs.show(job).state == "waiting"


def test_jobs_that_ended_are_forgotten_with_their_logs(node: Node) -> None:
    job = node.jobs.queue.add("test", None)
    waiting = node.jobs.queue.add("test", None)
    node.jobs.cancel([job])

    assert node.jobs.prune(3600).jobs == []
    assert node.jobs.prune(-1).jobs == [job]
    assert [one.id for one in node.jobs.ls().jobs] == [waiting]


def test_what_counts_without_an_end_says_how_far_it_is(node: Node) -> None:
    queue = node.jobs.queue
    job = queue.add("test", None)
    lease = queue.claim("w")
    assert lease is not None
    queue.progress(lease, 12, None, "lines answered")
    assert node.jobs.show(job).message == "12 lines answered"
    queue.progress(lease, 2048, None, "fetched", "bytes")
    assert node.jobs.show(job).message == "2.0 KiB fetched"
    queue.progress(lease, 512, 2048, "fetching", "bytes")
    assert (node.jobs.show(job).message, node.jobs.show(job).progress) == ("fetching", 0.25)
