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
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from io import BufferedReader, FileIO
from select import select
from typing import Any, BinaryIO

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import AccelError, LimitReached, MalformedContent, Unavailable, error_kinds
from ipfs_accel_cli.extractors.base import Content, Document, Limits

# How much longer than its own alarm a child is waited for; a file may also be read while this machine is busy.
_GRACE_SECONDS = 10.0
_START_SECONDS = 60.0
_KEPT_IDLE = 2
_LOOK_SECONDS = 0.5
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
    with _file(content, limits) as file:
        answer, status = _ask(task, file.fileno(), limits)
    return _told(answer, status, limits)


@contextmanager
def _file(content: Content, limits: Limits) -> Iterator[BinaryIO]:
    """Open a content so that it has a descriptor; what lies elsewhere is copied first."""
    with content.open() as file:
        if isinstance(file, FileIO) or (isinstance(file, BufferedReader) and isinstance(file.raw, FileIO)):
            yield file
            return
        if content.size_bytes > limits.read_bytes:
            raise LimitReached(f"{content.name} has more than {limits.read_bytes} bytes and is not on this machine")
        with tempfile.TemporaryFile() as copy:
            while chunk := file.read(1 << 20):
                copy.write(chunk)
            copy.flush()
            yield copy


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

    def ask(self, task: dict[str, Any], file: int, limits: Limits) -> tuple[bytes, int]:
        """Return what the child told and the status with which it ended."""
        reading, writing = os.pipe()
        with os.fdopen(reading, "rb", buffering=0) as told:
            try:
                # ConnectionError comes of a nursery that ended because nobody asked it anything.
                socket.send_fds(self._socket, [json.dumps(task).encode() + b"\n"], [file, writing])
            finally:
                os.close(writing)
            until = time.monotonic() + limits.seconds + _GRACE_SECONDS
            begun = until + _START_SECONDS
            answer = self._until_end(told, begun, most_bytes=limits.text_chars * 8 + (16 << 20))
        status = self._until_end(self._socket.makefile("rb", buffering=0), begun, line=True)
        if not status:
            raise ConnectionError("the process that reads files ended")
        return answer, int(status)

    def _until_end(self, file: Any, until: float, *, most_bytes: int = 1 << 16, line: bool = False) -> bytes:
        parts = bytearray()
        while True:
            current().check()
            ready, _, _ = select([file], [], [], _LOOK_SECONDS)
            if not ready:
                if time.monotonic() > until:
                    raise LimitReached("it could not be ended in time and was killed")
                continue
            chunk = file.read(1 << 16)
            parts += chunk
            if len(parts) > most_bytes:
                raise LimitReached("it makes more text than can be kept")
            if not chunk or (line and chunk.endswith(b"\n")):
                return bytes(parts)

    def close(self) -> None:
        """End the process and what it has forked."""
        self._socket.close()
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


_idle: list[_Nursery] = []
_lock = threading.Lock()


def _ask(task: dict[str, Any], file: int, limits: Limits) -> tuple[bytes, int]:
    """Ask a nursery that waits, else a new one; a new one, too, where the first has ended meanwhile."""
    nursery = _take()
    if nursery is not None:
        with suppress(ConnectionError):
            return _asked(nursery, task, file, limits)
    try:
        return _asked(_Nursery(), task, file, limits)
    except OSError as error:
        raise Unavailable(f"the process that reads files cannot be used: {error}") from error


def _asked(nursery: _Nursery, task: dict[str, Any], file: int, limits: Limits) -> tuple[bytes, int]:
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
