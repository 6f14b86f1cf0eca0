"""Reads a file in a process of its own, with bounds on memory and time that the kernel keeps.

A *nursery* is one process that has imported the libraries already. For each file it forks a child, which costs some
milliseconds, where a new interpreter with its imports would cost some tenths of a second. A child reads one file from
an open descriptor, writes no file, and tells its document through a pipe.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from select import POLLIN, poll
from typing import Any, BinaryIO

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import AccelError, LimitReached, MalformedContent, Unavailable, error_kinds
from ipfs_accel_cli.extractors import lending
from ipfs_accel_cli.extractors.base import Content, Document, Limits

# What starting a nursery and the imports may take; a child is ended by its own alarm.
_START_SECONDS = 60.0
_FACTS_BYTES = 16 << 20
_KEPT_IDLE = 2
_LOOK_MS = 500
_CODE = "from ipfs_accel_cli.extractors.nursery import serve; serve()"
# What a library needs of an environment, and nothing that opens a door: these processes read what anyone has made.
_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TZ")


def extract(reference: str, libraries: Sequence[str], content: Content, limits: Limits) -> Document:
    """Call the extractor `module:class` on a content in a child; `libraries` are imported before it is forked.

    Raises what the extractor raises, LimitReached when the child is ended for its time or memory, MalformedContent when
    a library crashes on the file, and Unavailable when no process can be started.
    """
    task = {
        "reference": reference,
        "libraries": list(libraries),
        "name": content.name,
        "size_bytes": content.size_bytes,
        "limits": asdict(limits),
    }
    with content.open() as file:
        answer, status = _ask(task, file, limits)
    return _told(answer, status, limits)


class _Nursery:
    """One process that forks a child for each file, one after the other."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair()
        known = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        known |= {"PYTHONPATH": os.pathsep.join(place for place in sys.path if place), "PYTHONHASHSEED": "0"}
        # A library of linear algebra that starts threads cannot be forked.
        known |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _CODE, str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=known,
                start_new_session=True,
            )
        self.owner = os.getpid()

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    def ask(self, task: dict[str, Any], file: BinaryIO, limits: Limits) -> tuple[bytes, int]:
        """Return what the child told and the status with which it ended.

        Raises ConnectionError when the nursery itself has ended, because nobody asked it anything for long.
        """
        number = lending.descriptor(file)
        lender = lending.Lender(file) if number is None else None
        reading, writing = os.pipe()
        try:
            given = lender.theirs.fileno() if lender is not None else number
            message = json.dumps(task | {"lent": lender is not None}).encode() + b"\n"
            try:
                socket.send_fds(self._socket, [message], [given or 0, writing])
            finally:
                os.close(writing)
                if lender is not None:
                    lender.theirs.close()
            until = time.monotonic() + _START_SECONDS + limits.seconds
            answer = _read(reading, until, limits.text_chars * 8 + _FACTS_BYTES, lender)
            status = _read(self._socket.fileno(), until, 1, None)
        finally:
            os.close(reading)
            if lender is not None:
                lender.close()
        if not status:
            raise ConnectionError("the process that reads files ended")
        return answer, int(status)

    def close(self) -> None:
        """End the process and what it has forked."""
        self._socket.close()
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def _read(number: int, until: float, most_bytes: int, lender: lending.Lender | None) -> bytes:
    """Read a descriptor to its end or the end of a line, and meanwhile lend what is asked for."""
    parts = bytearray()
    waiting = poll()  # Descriptors of a server may be above what `select` takes.
    waiting.register(number, POLLIN)
    asking = lender.ours.fileno() if lender is not None else -1
    if lender is not None:
        waiting.register(asking, POLLIN)
    while True:
        current().check()
        ready = {descriptor for descriptor, _ in waiting.poll(_LOOK_MS)}
        if lender is not None and asking in ready and not lender.serve():
            waiting.unregister(asking)
        if number in ready:
            chunk = os.read(number, 1 << 16)
            parts += chunk
            if not chunk or chunk.endswith(b"\n"):
                return bytes(parts)
        if len(parts) > most_bytes + (1 << 16) or time.monotonic() > until:
            raise LimitReached("it makes more text than can be kept, or could not be ended in time")


_idle: list[_Nursery] = []
_lock = threading.Lock()


def _ask(task: dict[str, Any], file: BinaryIO, limits: Limits) -> tuple[bytes, int]:
    """Ask a nursery that waits, else a new one; a new one, too, where the first has ended meanwhile."""
    nursery = _take()
    if nursery is not None:
        with suppress(ConnectionError):
            return _asked(nursery, task, file, limits)
    try:
        return _asked(_Nursery(), task, file, limits)
    except OSError as error:
        raise Unavailable(f"the process that reads files cannot be used: {error}") from error


def _asked(nursery: _Nursery, task: dict[str, Any], file: BinaryIO, limits: Limits) -> tuple[bytes, int]:
    try:
        found = nursery.ask(task, file, limits)
    except BaseException:
        nursery.close()
        raise
    with _lock:
        if keep := len(_idle) < _KEPT_IDLE:
            _idle.append(nursery)
    if not keep:
        nursery.close()
    return found


def _take() -> _Nursery | None:
    """Return a nursery that waits; those of a process that has forked us are not ours."""
    with _lock:
        while _idle:
            nursery = _idle.pop()
            if nursery.owner == os.getpid() and nursery.alive:
                return nursery
            if nursery.owner == os.getpid():
                nursery.close()
    return None


def _told(answer: bytes, status: int, limits: Limits) -> Document:
    """Return the document of an answer, or raise what it says, or what the end of the child says."""
    try:
        told = json.loads(answer)
    except ValueError as error:
        raise _ended(status, limits) from error
    if "error" in told:
        kind = error_kinds().get(told["error"], MalformedContent)
        raise kind(told["detail"])
    found = told["document"]
    facts = {key: tuple(value) if isinstance(value, list) else value for key, value in found["facts"].items()}
    links = tuple(found["links"])
    return Document(found["kind"], found["title"], found["text"], facts, links, found["truncated"])


def _ended(status: int, limits: Limits) -> AccelError:
    code = os.waitstatus_to_exitcode(status)
    if -code in (signal.SIGALRM, signal.SIGXCPU):
        return LimitReached(f"it takes longer than {limits.seconds:g} seconds to read")
    if -code == signal.SIGKILL:
        return LimitReached("the system ended the process that read it, most likely for its memory")
    named = signal.Signals(-code).name if code < 0 else f"status {code}"
    return MalformedContent(f"the library that reads it crashed on it ({named})")
