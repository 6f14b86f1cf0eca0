"""Jobs as a user meets them in a shell: detached, waited for, interrupted, killed, gone on with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.jobs.model import State
from tests.running import Ran

Cli = Callable[..., Ran]


def worker(home: Path, *words: str) -> subprocess.Popen[bytes]:
    program = [sys.executable, "-m", "ipfs_accel_cli", "--home", str(home), "job", "work", *words]
    return subprocess.Popen(program, stderr=subprocess.PIPE)


def until(node: Node, job: str, state: State) -> None:
    for _ in range(600):
        if node.jobs.queue.get(job).state is state:
            return
        time.sleep(0.05)
    raise AssertionError(node.jobs.show(job))


def large(folder: Path) -> Path:
    """A file that takes a few seconds to store, and next to no room."""
    with (folder / "large").open("wb") as stream:
        stream.truncate(1 << 30)
    return folder / "large"


def test_a_detached_command_starts_its_own_worker_and_outlives_the_shell(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("hello world")

    told = cli("store", "put", tmp_path / "file", "--detach", "--json", IPFS_ACCEL_JOB_AUTOSTART="true")
    assert told.json["worker"] == "started"
    waited = cli("job", "wait", told.json["job"][-8:], "--within", "60s", "--json")
    assert waited.status == 0
    (job,) = waited.json["jobs"]
    assert cli("store", "cat", job["result"]["items"][0]["cid"]).stdout == "hello world"
    events = [json.loads(line)["kind"] for line in cli("monitor", "events", "--topic", "job").stdout.splitlines()]
    assert events == ["added", "started", "finished"]


def test_a_worker_that_is_told_to_end_hands_its_job_to_the_next(
    cli: Cli, home: Path, node: Node, tmp_path: Path
) -> None:
    job = cli("-q", "store", "put", large(tmp_path), "--detach").stdout.strip()
    first = worker(home)
    until(node, job, State.RUNNING)
    first.send_signal(signal.SIGTERM)
    _, told = first.communicate(timeout=60)

    assert first.returncode == 0
    assert b"handed back" in told
    assert node.jobs.queue.get(job).state is State.WAITING
    (tmp_path / "large").unlink()
    (tmp_path / "large").write_text("small")
    assert worker(home, "--drain").wait() == 0
    assert node.jobs.show(job).state == "done"


def test_a_killed_worker_loses_nothing(cli: Cli, home: Path, node: Node, tmp_path: Path) -> None:
    job = cli("-q", "store", "put", large(tmp_path), "--detach").stdout.strip()
    first = worker(home)
    until(node, job, State.RUNNING)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()

    assert "is gone; the next worker goes on" in cli("doctor").stdout
    assert worker(home, "--drain").wait() == 0
    shown = node.jobs.show(job)
    assert (shown.state, shown.attempt) == ("done", 2)


def test_what_makes_no_sense_is_said_with_its_status(cli: Cli) -> None:
    assert cli("job", "show", "nobody").status == 3
    assert cli("job", "ls", "--state", "lost").status == 2
    assert cli("job", "work", "--kinds", "dance").status == 2
    assert cli("monitor", "events", "--since", "7").status == 2
