"""Run a command as a person does: on a pseudo-terminal, whose screen is what is left when it ends."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COMMAND = [sys.executable, "-m", "ipfs_accel_cli"]
_STYLE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True)
class Shown:
    """How a command ended, and everything that it wrote to the terminal, styles and all."""

    status: int
    written: str

    @property
    def text(self) -> str:
        """What was written, without styles; each time that a line was written anew is a line here."""
        return _STYLE.sub("", self.written).replace("\r\n", "\n").replace("\r", "\n")


def on_terminal(
    arguments: Sequence[str | Path], *, stdout: Any = None, columns: int = 100, **environment: str
) -> Shown:
    """Run `ipfs-accel` with a terminal for all three streams, or with standard output elsewhere."""
    leader, follower = pty.openpty()
    running = subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        stdin=follower,
        stdout=follower if stdout is None else stdout,
        stderr=follower,
        env=os.environ | {"COLUMNS": str(columns), "TERM": "xterm"} | environment,
    )
    os.close(follower)
    written = b""
    while True:
        try:
            part = os.read(leader, 65536)
        except OSError:  # Linux says so when the last writer has closed.
            break
        if not part:
            break
        written += part
    os.close(leader)
    return Shown(running.wait(timeout=60), written.decode(errors="replace"))
