"""Who asks, how to report progress, and whether to stop: the context of one command run."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol

from ipfs_accel_cli.core.dialogue import Dialogue
from ipfs_accel_cli.core.errors import Cancelled, Invalid, NotAuthorised, Offline

EVERYTHING = "*"


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who asks. `permissions` are `group:effect` names such as `model:read`, or `*`; none is the default."""

    name: str
    kind: str
    permissions: frozenset[str] = frozenset()

    def may(self, permission: str) -> bool:
        """Say whether this principal holds a permission, by its exact name, `*:effect`, `group:*` or `*`."""
        group, _, effect = permission.partition(":")
        wanted = {permission, f"{group}:*", f"*:{effect}", EVERYTHING}
        return not wanted.isdisjoint(self.permissions)


OWNER = Principal("owner", "shell", frozenset({EVERYTHING}))


class Reporter(Protocol):
    """Where progress and streamed text go; `unit` is `bytes`, or empty for what the message names itself."""

    def progress(self, done: float, total: float | None, message: str, unit: str) -> None: ...
    def emit(self, text: str) -> None: ...
    def check(self) -> None: ...


class Silent:
    """A reporter for callers who only want the result."""

    def progress(self, done: float, total: float | None, message: str, unit: str) -> None: ...
    def emit(self, text: str) -> None: ...
    def check(self) -> None: ...


@dataclass(slots=True)
class Call:
    """One run of one command.

    `input` opens the caller's standard input when there is one; `converse` holds a dialogue with a person, where one
    can be talked to; `folders` confines the paths that the caller may
    name (None: any path, as for the owner's own shell); `read_seconds` is how long a server may keep silent.
    """

    principal: Principal = OWNER
    reporter: Reporter = field(default_factory=Silent)
    offline: bool = False
    input: Callable[[], BinaryIO] | None = None
    converse: Callable[[Dialogue], None] | None = None
    folders: tuple[Path, ...] | None = None
    command: str = ""
    read_seconds: float = 60.0
    id: str = field(default_factory=lambda: os.urandom(16).hex())
    stopped: threading.Event = field(default_factory=threading.Event)

    def progress(self, done: float, total: float | None = None, message: str = "", *, unit: str = "") -> None:
        """Report that `done` of `total` units are done; raise Cancelled when the caller has gone."""
        self.check()
        self.reporter.progress(done, total, message, unit)

    def emit(self, text: str) -> None:
        """Hand streamed text to the caller at once."""
        self.check()
        self.reporter.emit(text)

    def check(self) -> None:
        """Raise Cancelled when the caller wants the command to stop."""
        if self.stopped.is_set():
            raise Cancelled("the caller cancelled this command")
        self.reporter.check()

    def needs_network(self, what: str) -> None:
        """Raise Offline when this call may not open a connection for `what`."""
        if self.offline:
            raise Offline(f"{what} needs the network, and --offline forbids it")

    def path(self, text: str | Path) -> Path:
        """Return a path that this caller may touch, links resolved; raise NotAuthorised for any other."""
        try:
            path = Path(text).expanduser()
        except RuntimeError as error:
            raise Invalid(f"{str(text)!r} names the home of a user that does not exist") from error
        if self.folders is None:
            return path
        real = path.resolve()
        if any(real.is_relative_to(folder.resolve()) for folder in self.folders):
            return real
        raise NotAuthorised(
            f"the path {str(text)!r} is outside the folders that this caller may use",
            suggestion="start the server with --allow-path FOLDER",
        )


_current: ContextVar[Call | None] = ContextVar("call", default=None)
_nobodys = Call()  # Made once: content is read in many small pieces, and each of them asks whether to stop.


def current() -> Call:
    """Return the call that is running; outside of one, a silent one of the owner's that nobody can stop."""
    return _current.get() or _nobodys


@contextmanager
def using(call: Call) -> Iterator[Call]:
    """Make `call` the current one for the block."""
    token = _current.set(call)
    try:
        yield call
    finally:
        _current.reset(token)
