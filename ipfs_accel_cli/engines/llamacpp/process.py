"""Starting and ending the process of llama.cpp."""

from __future__ import annotations

import json
import secrets
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any

from ipfs_accel_cli.core.errors import MalformedContent, Unavailable

_START_SECONDS = 600.0
_END_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Process:
    """A process that serves a model on the loopback interface, to who has the key; it ends with this one."""

    address: str
    key: str
    running: subprocess.Popen[bytes]

    def stop(self) -> None:
        """End it; may be called more than once."""
        if self.running.stdin is not None:
            with suppress(OSError):
                self.running.stdin.close()
        try:
            self.running.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self.running.kill()
            self.running.wait()


def start(asked: Mapping[str, Any], name: str) -> Process:
    """Start it and wait until the model is loaded; raises MalformedContent for a model that llama.cpp refuses.

    Raises Unavailable for a process that ends or does not answer.
    """
    key = secrets.token_urlsafe(32)
    with tempfile.TemporaryFile() as log:
        running = subprocess.Popen(
            [sys.executable, "-P", "-m", "ipfs_accel_cli.engines.llamacpp.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
        )
        assert running.stdin is not None
        assert running.stdout is not None
        # The key goes through the pipe: arguments and environments of processes can be read by others.
        running.stdin.write(json.dumps({**asked, "key": key}).encode() + b"\n")
        running.stdin.flush()
        answer = _answer(running, name)
        if "address" not in answer:
            running.wait(_END_SECONDS)
            raise MalformedContent(f"{name}: llama.cpp cannot load it: {_last(log) or answer.get('error')}")
    return Process(str(answer["address"]), key, running)


def _answer(running: subprocess.Popen[bytes], name: str) -> dict[str, Any]:
    assert running.stdout is not None
    until = time.monotonic() + _START_SECONDS
    with selectors.DefaultSelector() as selector:
        selector.register(running.stdout, selectors.EVENT_READ)
        while time.monotonic() < until and selector.select(until - time.monotonic()):
            line = running.stdout.readline()
            if not line:
                return {"error": f"its process ended with status {running.wait()}"}
            if line.startswith(b"{"):
                found: dict[str, Any] = json.loads(line)
                return found
    running.kill()
    raise Unavailable(f"llama.cpp did not load {name} within {_START_SECONDS:.0f} s")


def _last(log: IO[bytes]) -> str:
    """Return the last error that llama.cpp wrote about, without its time stamp."""
    log.seek(0)
    lines = log.read().decode("utf-8", "replace").splitlines()
    errors = [line.partition(" E ")[2].strip() for line in lines if " E " in line]
    return next((" ".join(line.split())[:200] for line in errors if line), "")
