"""What the doctor says of jobs that nobody runs although they should be run."""

from __future__ import annotations

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.jobs.queue import Queue


def said(node: Node) -> list[tuple[str, str]]:
    return [(one.state, one.remedy) for one in node.doctor.run().checks if one.name.startswith("job")]


def test_a_queue_without_trouble_is_well(node: Node) -> None:
    assert said(node) == [("ok", "")]


def test_jobs_that_nobody_works_are_told(node: Node) -> None:
    node.jobs.queue.add("test", None)

    assert said(node) == [("warning", "ipfs-accel job work --drain")]


def test_parked_jobs_and_lost_leases_are_told_with_what_to_do(node: Node) -> None:
    early = Queue(node.database, clock=lambda: 1000.0)
    parked, _ = early.add("test", None), early.add("test", None)
    first, second = early.claim("w"), early.claim("w")
    assert first is not None
    assert second is not None
    early.fail(first, {"detail": "it makes no sense"}, retryable=False)

    assert said(node) == [
        ("warning", "ipfs-accel job work --drain"),
        ("warning", f"ipfs-accel job retry {parked}"),
    ]
