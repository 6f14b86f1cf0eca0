"""Locks on files: one holder at a time, and none after its death."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import Cancelled
from ipfs_accel_cli.core.locks import alone, is_held, locked, wait_for

_HOLDER = """
import sys, time
from pathlib import Path
from ipfs_accel_cli.core.locks import alone
with alone(Path(sys.argv[1])) as ours:
    print(ours, flush=True)
    time.sleep(60)
"""


def test_one_has_it_and_others_are_told(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not is_held(path)
    assert not path.exists()
    with alone(path) as first, alone(path) as second:
        assert (first, second, is_held(path)) == (True, False, True)
    assert not is_held(path)


def test_readers_share_it_and_a_writer_is_kept_out(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with locked(path, shared=True), locked(path, shared=True), alone(path) as ours:
        assert not ours


def test_a_killed_holder_has_it_no_longer(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with subprocess.Popen([sys.executable, "-c", _HOLDER, str(path)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        assert is_held(path)
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    assert not is_held(path)


def test_who_waits_is_told_and_may_give_up(tmp_path: Path) -> None:
    told: list[str] = []

    class Watching(Call):
        def progress(self, done: float, total: float | None = None, message: str = "", *, unit: str = "") -> None:
            told.append(message)
            self.check()
            self.stopped.set()

    descriptor = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    try:
        with alone(tmp_path / "lock"), using(Watching()), pytest.raises(Cancelled):
            wait_for(descriptor, "Waiting for another")
        assert told == ["Waiting for another"] * 2
        wait_for(descriptor, "never told")
        assert is_held(tmp_path / "lock")
    finally:
        os.close(descriptor)


def test_who_waits_gets_it_when_it_is_given_back(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    done = threading.Event()

    def wait() -> None:
        wait_for(descriptor, "")
        done.set()

    waiting = threading.Thread(target=wait)
    with alone(tmp_path / "lock"):
        waiting.start()
        assert not done.is_set()
    waiting.join(30)
    assert done.is_set()
    os.close(descriptor)
