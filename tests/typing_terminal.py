"""A person at a pseudo-terminal: waits for what is shown, types, presses Ctrl-C and Ctrl-D."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.terminal import COMMAND

INTERRUPT, END = "\x03", "\x04"
# Ctrl-C is a signal only to a session that the terminal controls.
_CONTROLLED = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)
_STYLE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Typing:
    """A running command whose three streams are one terminal."""

    def __init__(self, running: subprocess.Popen[bytes], leader: int) -> None:
        self.running, self._leader = running, leader
        self.written = ""

    def wait_for(self, text: str, seconds: float = 120) -> str:
        """Wait until a text is shown after what was read before; return all up to it."""
        end = time.monotonic() + seconds
        while text not in self.written:
            assert time.monotonic() < end, f"no {text!r} in {self.written!r}"
            if select.select([self._leader], [], [], 0.1)[0]:
                self.written += self._read()
        at = self.written.index(text) + len(text)
        shown, self.written = self.written[:at], self.written[at:]
        return shown

    def type(self, text: str) -> None:
        """Type as at a keyboard."""
        os.write(self._leader, text.encode())

    def ended(self) -> int:
        """Wait for the end and return the exit status."""
        while part := self._read():
            self.written += part
        return self.running.wait(timeout=60)

    def _read(self) -> str:
        try:
            part = os.read(self._leader, 65536)
        except OSError:  # Linux says so when the last writer has closed.
            return ""
        return _STYLE.sub("", part.decode(errors="replace")).replace("\r\n", "\n")


@contextmanager
def typing(arguments: Sequence[str | Path], **environment: str) -> Iterator[Typing]:
    """Run `ipfs-accel` on a terminal of its own, the one that Ctrl-C is sent through."""
    leader, follower = pty.openpty()
    running = subprocess.Popen(
        [sys.executable, "-c", _CONTROLLED, *COMMAND, *map(str, arguments)],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env=os.environ | {"COLUMNS": "100", "TERM": "dumb"} | environment,
        start_new_session=True,
    )
    os.close(follower)
    try:
        yield Typing(running, leader)
    finally:
        os.close(leader)
        running.kill()
        running.wait()
