"""Asks a vendor's library in a process of its own: what it prints, breaks or hangs on stays there."""

from __future__ import annotations

import json
import os
import signal
import sys
from importlib import import_module
from typing import Any

from ipfs_accel_cli.probes.base import described

# A library of several hundred MB that is read from a slow disk for the first time.
CHILD_SECONDS = 20.0

_CODE = "from ipfs_accel_cli.probes.child import answer; answer()"


class NoAnswer(Exception):
    """The process gave no answer; its text says why, in one line."""


def ask(reference: str, argument: str = "", *, seconds: float = CHILD_SECONDS) -> Any:
    """Call `module:function` in a child and return its answer, which is JSON.

    `argument` is given to the function unless it is empty. Raises NoAnswer when the function raises, when its process
    dies, and when it does not come back in time; it is killed then.
    """
    import subprocess

    process = subprocess.Popen(
        [sys.executable, "-P", "-c", _CODE, reference, argument, str(seconds)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_environment(),
        start_new_session=True,
    )
    try:
        written, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired as error:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise NoAnswer(f"did not answer within {seconds:g} s") from error
    return _told(written, process.returncode)


def answer() -> None:
    """Be the child: call what the arguments name, and write its answer where nothing else can write."""
    reference, argument, seconds = sys.argv[1:]
    # Ends this process even inside a driver's code, when whoever asked was killed and cannot do it.
    signal.setitimer(signal.ITIMER_REAL, float(seconds) + 1)
    private, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    told: dict[str, Any]
    try:
        module, _, name = reference.partition(":")
        function = getattr(import_module(module), name)
        told = {"answer": function(argument) if argument else function()}
        text = json.dumps(told)
    except BaseException as error:  # Vendor libraries raise KeyError and even SystemExit while they are imported.
        text = json.dumps({"error": described(error)})
    with os.fdopen(private, "w") as file:
        file.write(text)
    # What a library does at the end of a process is not waited for either.
    os._exit(0)


def _environment() -> dict[str, str]:
    """Return this environment with our import path, and with a folder that Vulkan loaders complain of missing."""
    import tempfile

    known = {"XDG_RUNTIME_DIR": tempfile.gettempdir(), **os.environ}
    return known | {"PYTHONPATH": os.pathsep.join(place for place in sys.path if place)}


def _told(written: bytes, status: int) -> Any:
    try:
        told = json.loads(written)
    except ValueError as error:
        end = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
        raise NoAnswer(f"the process that asked {end}, without an answer") from error
    if "error" in told:
        raise NoAnswer(str(told["error"]))
    return told["answer"]
