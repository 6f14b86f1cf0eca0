"""Jobs for the parity test: one in each state, all added in the name of an assistant."""

from __future__ import annotations

from typing import Any

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.call import Principal
from ipfs_accel_cli.core.jobs.model import Caller, Lease
from ipfs_accel_cli.core.jobs.queue import Queue

STATES = ("done", "parked", "paused", "waiting")
IDS = {state: f"00000000-0000-7000-8000-{number:012x}" for number, state in enumerate(STATES, 0xA0000)}

CASES: dict[str, tuple[list[str], dict[str, Any]]] = {
    "job ls": (["--state", "done", "--state", "parked"], {"state": ["done", "parked"]}),
    "job show": ([IDS["parked"]], {"job": IDS["parked"]}),
    "job wait": ([IDS["done"]], {"jobs": [IDS["done"]]}),
    "job logs": ([IDS["done"]], {"job": IDS["done"]}),
    "job cancel": ([IDS["waiting"]], {"jobs": [IDS["waiting"]]}),
    "job pause": ([IDS["waiting"]], {"jobs": [IDS["waiting"]]}),
    "job resume": ([IDS["paused"]], {"jobs": [IDS["paused"]]}),
    "job retry": ([IDS["parked"]], {"jobs": [IDS["parked"]]}),
    "job prune": (["--older-than", "0s"], {"older_than": "0s"}),
    "monitor events": (["--topic", "job", "--since", "0"], {"topic": ["job"], "since": 0}),
}


def prepare(node: Node) -> None:
    """Let the home have a job in each state."""
    queue = Queue(node.database, ids=iter(IDS.values()).__next__)
    caller = Caller(Principal("assistant", "mcp"))
    for state in STATES:
        queue.add("test", {"state": state}, title=f"a job that is {state}", caller=caller)
    done = _claimed(queue)
    queue.log(done, "a line")
    queue.finish(done, {"answer": 42})
    queue.fail(_claimed(queue), {"code": "invalid-input", "detail": "it makes no sense"}, retryable=False)
    queue.pause(IDS["paused"])


def _claimed(queue: Queue) -> Lease:
    lease = queue.claim("test")
    assert lease is not None
    return lease
