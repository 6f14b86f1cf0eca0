"""The process that forks a child for each file: `apart.py` starts it and says what to read."""

from __future__ import annotations

import json
import math
import os
import resource
import signal
import socket
import sys
from contextlib import suppress
from importlib import import_module
from typing import Any

from ipfs_accel_cli.core.errors import classified
from ipfs_accel_cli.extractors.base import Document, Limits
from ipfs_accel_cli.extractors.lending import Borrowed

_IDLE_SECONDS = 60.0
_TASK_BYTES = 1 << 20


def serve() -> None:
    """Read tasks and fork a child for each until nobody asks any more; the argument is the socket's descriptor."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    connection.settimeout(_IDLE_SECONDS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(OSError):  # It is over when nobody asks for a while, and when whoever asked has ended.
        while received := _receive(connection):
            task, file, answer = received
            status = _fork(task, file, answer, connection)
            connection.sendall(b"%d\n" % status)


def _receive(connection: socket.socket) -> tuple[dict[str, Any], int, int] | None:
    line, descriptors = b"", list[int]()
    while not line.endswith(b"\n"):
        part, more, _, _ = socket.recv_fds(connection, 1 << 16, 2)
        line, descriptors = line + part, descriptors + more
        if not part or len(line) > _TASK_BYTES:
            return None
    file, answer = descriptors
    return json.loads(line), file, answer


def _fork(task: dict[str, Any], file: int, answer: int, connection: socket.socket) -> int:
    """Have a child read one file, and return the status with which it ended."""
    for library in task["libraries"]:
        with suppress(Exception):  # The child says what is missing.
            import_module(library)
    with suppress(Exception):
        import_module(task["reference"].partition(":")[0])
    child = os.fork()
    if not child:
        try:
            connection.close()
            _read(task, file, answer)
        finally:
            os._exit(0)
    os.close(file)
    os.close(answer)
    return os.waitpid(child, 0)[1]


def _read(task: dict[str, Any], file: int, answer: int) -> None:
    limits = Limits(**task["limits"])
    _bound(limits)
    told: dict[str, Any]
    try:
        module, _, name = task["reference"].partition(":")
        content = Borrowed(file, task["name"], task["size_bytes"], lent=task["lent"])
        document = getattr(import_module(module), name)().extract(content, limits).within(limits)
        written = json.dumps({"document": _plain(document)}).encode()
    except BaseException as error:  # Libraries raise whatever they like over files of strangers.
        told = {"error": "malformed-content", "detail": f"{type(error).__name__}: {str(error)[:500]}"}
        if (known := classified(error)) is not None:
            told = {"error": known.code, "detail": known.detail}
        elif isinstance(error, MemoryError):
            told = {"error": "limit-reached", "detail": f"it takes more than {limits.memory_bytes} bytes of memory"}
        elif isinstance(error, RecursionError):
            told = {"error": "limit-reached", "detail": "it is nested too deeply"}
        written = json.dumps(told).encode()
    with os.fdopen(answer, "wb") as pipe:
        pipe.write(written)


def _bound(limits: Limits) -> None:
    """Have the kernel end this process when the file takes too long, too much memory, or wants to write files."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, limits.seconds)
    seconds = math.ceil(limits.seconds)
    for kind, bound in (
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_AS, _mapped_bytes() + limits.memory_bytes),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        with suppress(OSError, ValueError):  # macOS knows no bound of RLIMIT_AS.
            resource.setrlimit(kind, (bound, bound))


def _mapped_bytes() -> int:
    """Return the address space in use, which libraries alone may make some GiB."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 1 << 30


def _plain(document: Document) -> dict[str, Any]:
    return {
        "kind": document.kind,
        "title": document.title,
        "text": document.text,
        "facts": dict(document.facts),
        "links": document.links,
        "truncated": document.truncated,
    }
