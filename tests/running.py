"""Run `ipfs-accel` and see what it printed: within this process, or in one of its own."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from ipfs_accel_cli.surfaces.cli.main import run


@dataclass(frozen=True)
class Ran:
    """How one command ended."""

    status: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)


Run = Callable[..., Ran]


def in_process(*arguments: str | Path, stdin: str | bytes | None = None, **environment: str) -> Ran:
    """Run a command, standard input closed unless given.

    What is loaded once stays loaded, so this takes milliseconds where a process takes half a second or, with torch,
    several. What hangs on a process (signals, exit, what was imported, variables that a library reads once) needs one.
    """
    data = stdin.encode() if isinstance(stdin, str) else stdin or b""
    streams = [io.TextIOWrapper(io.BytesIO(start), "utf-8", "surrogateescape") for start in (data, b"", b"")]
    given, out, told = streams
    with (
        mock.patch.multiple(sys, stdin=given, stdout=out, stderr=told),
        mock.patch.dict(os.environ, environment),
        mock.patch.multiple(logging.getLogger("ipfs_accel_cli"), handlers=[], propagate=True, level=logging.NOTSET),
    ):
        status = run([str(argument) for argument in arguments])
        out.flush()
        told.flush()
    printed = [stream.buffer.getvalue().decode(errors="surrogateescape") for stream in (out, told)]  # type: ignore[attr-defined]
    return Ran(status, *printed)


def in_own_process(*arguments: str | Path, stdin: str | bytes | None = None, **environment: str) -> Ran:
    """Run a command in a process of its own, standard input closed unless given."""
    data = stdin.encode() if isinstance(stdin, str) else stdin
    done = subprocess.run(
        [sys.executable, "-m", "ipfs_accel_cli", *map(str, arguments)],
        input=data,
        stdin=subprocess.DEVNULL if data is None else None,
        capture_output=True,
        env=os.environ | environment,
        timeout=300,
    )
    return Ran(done.returncode, done.stdout.decode(errors="surrogateescape"), done.stderr.decode())
