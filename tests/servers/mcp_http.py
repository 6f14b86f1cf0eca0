"""An MCP server over HTTP as a process of its own, started and stopped by a test."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent.parent
OURS = ("-m", "ipfs_accel_cli", "serve-mcp", "--http", "--port", "0")
COMMANDS = ("-m", "tests.servers.mcp_commands", "0")


@dataclass
class Serving:
    """A running server: its process, its URL, and what it wrote to standard error."""

    process: subprocess.Popen[bytes]
    url: str
    log: IO[bytes]

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and return the exit status."""
        self.process.send_signal(number)
        return self.process.wait(timeout=30)

    @property
    def stderr(self) -> str:
        return Path(self.log.name).read_text()


@contextmanager
def serving(arguments: Sequence[str] = OURS, **environment: str) -> Iterator[Serving]:
    """Run a server for the block; it must print its URL as the last word of a line."""
    with tempfile.NamedTemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=os.environ | environment,
        )
        try:
            assert process.stderr is not None
            line = process.stderr.readline()
            assert b"http://" in line, line + process.stderr.read()
            # The pipe is emptied into a file, or a server that says much would stand still.
            pump = subprocess.Popen(["cat"], stdin=process.stderr, stdout=log)
            yield Serving(process, line.split()[-1].decode(), log)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            process.stderr.close()
            pump.wait()
