"""`hw top` on a terminal with keys, and where its output is read by a program."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import subprocess
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.terminal import COMMAND

_ALTERNATE, _BACK = b"\x1b[?1049h", b"\x1b[?1049l"


class Screen:
    """A command on a terminal that controls it, so that its keys arrive."""

    def __init__(self, leader: int, running: subprocess.Popen[bytes]) -> None:
        self.leader = leader
        self.running = running
        self.written = b""

    def until(self, text: bytes) -> None:
        while text not in self.written:
            self.written += os.read(self.leader, 65536)

    def press(self, key: bytes) -> int:
        os.write(self.leader, key)
        try:
            while part := os.read(self.leader, 65536):
                self.written += part
        except OSError:  # Linux says so when the last writer has closed.
            pass
        return self.running.wait(timeout=60)

    def modes(self) -> Any:
        return termios.tcgetattr(self.leader)[3]


@contextmanager
def on_screen(*arguments: str) -> Iterator[Screen]:
    leader, follower = pty.openpty()
    running = subprocess.Popen(
        [*COMMAND, *arguments],
        stdin=follower, stdout=follower, stderr=follower,
        env=os.environ | {"COLUMNS": "100", "LINES": "40", "TERM": "xterm"},
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(follower)
    try:
        yield Screen(leader, running)
    finally:
        running.kill()
        running.wait()
        os.close(leader)


@pytest.mark.parametrize(("key", "status"), [(b"q", 0), (b"\x03", 130)])
def test_a_key_ends_it_and_the_terminal_is_as_before(key: bytes, status: int) -> None:
    with on_screen("hw", "top", "--interval", "0.2") as screen:
        before = screen.modes()
        screen.until(b"cpu share")
        assert _ALTERNATE in screen.written
        assert screen.press(key) == status
        assert _BACK in screen.written
        assert b"Traceback" not in screen.written
        assert screen.modes() == before


def test_an_end_that_was_asked_for_leaves_the_last_state_on_the_screen() -> None:
    with on_screen("hw", "top", "--interval", "0.1", "--count", "2") as screen:
        assert screen.press(b" ") == 0
        _, _, after = screen.written.partition(_BACK)
        assert b"cpu share" in after
        assert b"memory used" in after


@pytest.mark.parametrize("how", [(), ("--json",), ("--format", "jsonl")])
def test_a_program_reads_a_line_of_json_for_each_look(how: tuple[str, ...], cli: Callable[..., Any]) -> None:
    ran = cli("hw", "top", "--interval", "0.1", "--count", "2", *how)
    assert (ran.status, ran.stderr) == (0, "")
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    assert len(lines) == 2
    assert {"seconds", "cpu_share", "cores", "accelerators", "disks", "networks"} <= lines[0].keys()


def test_lines_come_as_they_are_made_and_an_interrupt_ends_them() -> None:
    with subprocess.Popen(
        [*COMMAND, "hw", "top", "--interval", "0.1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        assert running.stdout is not None
        assert json.loads(running.stdout.readline())
        assert json.loads(running.stdout.readline())
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=60)
    assert running.returncode == 130


def test_a_reader_that_goes_away_ends_it() -> None:
    with subprocess.Popen(
        [*COMMAND, "hw", "top", "--interval", "0.1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        assert running.stdout is not None
        running.stdout.readline()
        running.stdout.close()
        assert running.wait(timeout=60) == 141


@pytest.mark.parametrize("arguments", [("--interval", "0"), ("--count", "0")])
def test_senseless_numbers_are_refused(arguments: tuple[str, ...], cli: Callable[..., Any]) -> None:
    assert cli("hw", "top", *arguments).status == 2
