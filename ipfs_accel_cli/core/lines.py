"""Bytes straight to and from a connection, in large pieces: less work for each of them than a client of many arts.

For calls where no proxy stands between. `Lines` asks and is asked by whoever knows what an error means there; `send`
and `get` are for services whose requests are signed, and only the owner's own calls go that way: others through httpx.
"""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from select import POLLIN, poll
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

from ipfs_accel_cli.core.bodies import Body, Reading, joined
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import AccelError, TryAgain, Unavailable
from ipfs_accel_cli.core.heads import PORTS, Answered, written
from ipfs_accel_cli.core.http import CONNECT_SECONDS, client, explained, trusted

_MOST_IDLE = 16  # For each server.
_IDLE_SECONDS = 15.0  # Servers hang up on those that wait longer, perhaps just when something is sent.
_HARMLESS = ("GET", "HEAD")
_TOGETHER_BYTES = 64 << 10

Meaning = Callable[[Exception], Exception]
"""Says what to raise for an OSError, an HTTPException, or an Unreachable."""
_Origin = tuple[str, str, int]


class Unreachable(OSError):
    """No connection came about."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked; the headers must say how long the body is, and name the host unless `names_host` is wanted."""

    method: str
    origin: _Origin
    target: str
    headers: Iterable[tuple[str | bytes, str | bytes]]
    pieces: Iterable[bytes | memoryview] = ()
    names_host: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answers; the names of the headers are in small letters, and the bytes are as they were sent."""

    status: int
    headers: Mapping[str, str]
    pieces: Iterator[bytes]


@dataclass(frozen=True, slots=True)
class Exchange:
    """An answer whose body is still to be read, and who gave it; closing it gives the connection back or hangs up."""

    answer: http.client.HTTPResponse
    body: Body
    peer: Any
    _lines: Lines
    _origin: _Origin
    _connection: http.client.HTTPConnection

    def close(self) -> None:
        self.answer.close()
        if self.body.whole and not self.answer.will_close:
            self._lines._keep(self._origin, self._connection)
        else:
            self._connection.close()


class Lines:
    """Connections that stay open between requests; threads may share it, and each request has one for itself."""

    def __init__(self, certificates: str | None) -> None:
        self._certificates = certificates
        self._idle: dict[_Origin, deque[tuple[http.client.HTTPConnection, float]]] = {}
        self._lock = threading.Lock()
        self._closed = False

    def ask(self, request: Request, meaning: Meaning) -> Exchange:
        """Send a request and return the answer, its body not read; raises what `meaning` says."""
        waiting = self._alive(request.origin)
        if waiting is not None:
            try:
                return self._asked(waiting, request, meaning)
            except (OSError, http.client.HTTPException, ValueError) as error:
                # The server may have hung up just now, and what changes nothing there can be asked for once more.
                if isinstance(error, TimeoutError | ValueError) or request.method not in _HARMLESS:
                    raise meaning(error) from error
        try:
            return self._asked(_opened(request.origin, self._certificates), request, meaning)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise meaning(error) from error

    def send(
        self,
        method: str,
        url: str,
        headers: Iterable[tuple[str, str]],
        pieces: Iterable[bytes | memoryview],
        what: str,
        limit: int,
    ) -> Answer:
        """Return the whole answer to a request; raises Unavailable where it has more than `limit` bytes, and TryAgain.

        The headers must say how long the bytes of the request are.
        """
        origin, target = _split(url)
        asked = self.ask(Request(method, origin, target, headers, pieces), partial(_meaning, what))
        with closing(asked):
            data = joined(Reading(asked.body).pieces(), limit)
            if len(data) > limit:
                raise Unavailable(f"the server of {what} answers with more than {limit} bytes to a question")
        return Answer(asked.answer.status, _lowered(asked.answer), iter((data,)))

    def close(self) -> None:
        """Close those that are open; those in use are closed by whoever reads them."""
        with self._lock:
            self._closed = True
            for connection in [one for idle in self._idle.values() for one, _ in idle]:
                connection.close()
            self._idle.clear()

    def _asked(self, connection: http.client.HTTPConnection, request: Request, meaning: Meaning) -> Exchange:
        answer: http.client.HTTPResponse | None = None
        try:
            line = connection.sock
            line.settimeout(current().read_seconds)
            peer = line.getpeername()
            host = request.origin if request.names_host else None
            _send_all(line, written(request.method, request.target, host, request.headers), request.pieces)
            answer = Answered(line, method=request.method)
            answer.begin()
        except BaseException:
            if answer is not None:
                answer.close()
            connection.close()
            raise
        return Exchange(answer, Body(answer, line.recv_into, meaning), peer, self, request.origin, connection)

    def _alive(self, origin: _Origin) -> http.client.HTTPConnection | None:
        """Return an open connection; one at which something is to be read has been closed by the server meanwhile."""
        while True:
            with self._lock:
                idle = self._idle.get(origin)
                connection, since = idle.pop() if idle else (None, 0.0)
            if connection is None:
                return None
            waiting = poll()
            waiting.register(connection.sock, POLLIN)
            if time.monotonic() - since < _IDLE_SECONDS and not waiting.poll(0):
                return connection
            connection.close()

    def _keep(self, origin: _Origin, connection: http.client.HTTPConnection) -> None:
        with self._lock:
            idle = self._idle.setdefault(origin, deque())
            if not self._closed and len(idle) < _MOST_IDLE:
                idle.append((connection, time.monotonic()))
                return
        connection.close()


def is_straight() -> bool:
    """Say whether the running call may go this way."""
    return current().folders is None and not getproxies()


@contextmanager
def get(url: str, headers: Mapping[str, str], what: str, *, certificates: str | None = None) -> Iterator[Answer]:
    """Ask for an address that is signed, follow no redirect, and give the answer for the block.

    Raises Unavailable before a connection stood, else TryAgain, also where the answer breaks off.
    """
    current().needs_network(f"fetching {what}")
    if is_straight():
        origin, target = _split(url)
        request = Request("GET", origin, target, headers.items())
        with closing(Lines(certificates)) as lines, closing(lines.ask(request, partial(_meaning, what))) as asked:
            yield Answer(asked.answer.status, _lowered(asked.answer), Reading(asked.body).pieces())
        return
    with explained(what), client(certificates, guarded=True, passwords=False) as opened:
        request_there = opened.build_request("GET", url, headers=dict(headers))
        answer = opened.send(request_there, stream=True, follow_redirects=False)
        try:
            yield Answer(answer.status_code, dict(answer.headers), answer.iter_raw())
        finally:
            answer.close()


def _opened(origin: _Origin, certificates: str | None) -> http.client.HTTPConnection:
    scheme, host, port = origin
    seconds = min(CONNECT_SECONDS, current().read_seconds)
    connection = (
        http.client.HTTPSConnection(host, port, timeout=seconds, context=trusted(certificates))
        if scheme == "https"
        else http.client.HTTPConnection(host, port, timeout=seconds)
    )
    try:
        connection.connect()
    except (OSError, UnicodeError) as error:
        connection.close()
        raise Unreachable(getattr(error, "strerror", None) or str(error) or type(error).__name__) from error
    return connection


def _send_all(line: socket.socket, head: bytes, pieces: Iterable[bytes | memoryview]) -> None:
    """Send a request; a server that refuses it before it has all of it is heard, if it says why."""
    rest = iter(pieces)
    first = next(rest, b"")
    if len(first) <= _TOGETHER_BYTES:  # One packet less, and one waking of the server.
        head, first = head + first, b""
    line.sendall(head)
    with suppress(BrokenPipeError, ConnectionResetError):
        if first:
            line.sendall(first)
        for piece in rest:
            line.sendall(piece)


def _split(url: str) -> tuple[_Origin, str]:
    parts = urlsplit(url)
    port = parts.port or PORTS.get(parts.scheme, 80)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return (parts.scheme, parts.hostname or "", port), target


def _lowered(answer: http.client.HTTPResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.getheaders()}


def _meaning(what: str, error: Exception) -> AccelError:
    if isinstance(error, Unreachable):
        return Unavailable(f"cannot reach the server of {what}: {error}")
    missing = isinstance(error, http.client.IncompleteRead) and error.expected
    said = f"{missing} bytes are missing" if missing else type(error).__name__
    return TryAgain(f"the connection broke while fetching {what}: {said}")
