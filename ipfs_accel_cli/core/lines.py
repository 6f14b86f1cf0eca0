"""Bytes straight to and from a connection, in large pieces: less work for each of them than a client of many arts.

Only the owner's own calls go this way, and only where no proxy stands between; any other goes through `http.client`.
"""

from __future__ import annotations

import http.client
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from select import POLLIN, poll
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import TryAgain, Unavailable
from ipfs_accel_cli.core.http import CONNECT_SECONDS, client, explained, trusted

_PIECE_BYTES = 256 << 10


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answers; the names of the headers are in small letters, and the bytes are as they were sent."""

    status: int
    headers: Mapping[str, str]
    pieces: Iterator[bytes]


def is_straight() -> bool:
    """Say whether the running call may go this way."""
    return current().folders is None and not getproxies()


class Lines:
    """Connections that stay open between requests; threads may share it, and each request has one for itself."""

    def __init__(self, certificates: str | None) -> None:
        self._certificates = certificates
        self._idle: dict[tuple[str, str], deque[http.client.HTTPConnection]] = {}

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
        parts = urlsplit(url)
        idle = self._idle.setdefault((parts.scheme, parts.netloc), deque())
        connection = _alive(idle) or _opened(url, what, self._certificates)
        try:
            with _broken(what):
                connection.putrequest(method, _target(parts), skip_accept_encoding=True)
                for name, value in headers:
                    connection.putheader(name, value)
                _send_all(connection, pieces)
                response = connection.getresponse()
                data = _whole(response, what, limit)
        except BaseException:
            connection.close()
            raise
        if response.will_close:
            connection.close()
        else:
            idle.append(connection)
        return Answer(response.status, _lowered(response), iter((data,)))

    def close(self) -> None:
        """Close those that are open."""
        for idle in self._idle.values():
            while idle:
                idle.pop().close()


@contextmanager
def get(url: str, headers: Mapping[str, str], what: str, *, certificates: str | None = None) -> Iterator[Answer]:
    """Ask for an address that is signed, follow no redirect, and give the answer for the block.

    Raises Unavailable before a connection stood, else TryAgain, also where the answer breaks off.
    """
    current().needs_network(f"fetching {what}")
    if is_straight():
        with closing(_opened(url, what, certificates)) as connection:
            with _broken(what):
                connection.request("GET", _target(urlsplit(url)), headers=dict(headers))
                response = connection.getresponse()
            yield Answer(response.status, _lowered(response), _pieces(response, what))
        return
    with explained(what), client(certificates, guarded=True, passwords=False) as opened:
        request = opened.build_request("GET", url, headers=dict(headers))
        answer = opened.send(request, stream=True, follow_redirects=False)
        try:
            yield Answer(answer.status_code, dict(answer.headers), answer.iter_raw())
        finally:
            answer.close()


def _opened(url: str, what: str, certificates: str | None) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    seconds, host = current().read_seconds, parts.hostname or ""
    connect_seconds = min(CONNECT_SECONDS, seconds)
    connection = (
        http.client.HTTPSConnection(host, parts.port, timeout=connect_seconds, context=trusted(certificates))
        if parts.scheme == "https"
        else http.client.HTTPConnection(host, parts.port, timeout=connect_seconds)
    )
    try:
        connection.connect()
        connection.sock.settimeout(seconds)
    except (OSError, UnicodeError) as error:
        connection.close()
        said = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise Unavailable(f"cannot reach the server of {what}: {said}") from error
    return connection


def _alive(idle: deque[http.client.HTTPConnection]) -> http.client.HTTPConnection | None:
    """Return an open connection; one at which something is to be read has been closed by the server meanwhile."""
    while True:
        try:
            connection = idle.pop()
        except IndexError:
            return None
        waiting = poll()
        waiting.register(connection.sock, POLLIN)
        if not waiting.poll(0):
            return connection
        connection.close()


def _send_all(connection: http.client.HTTPConnection, pieces: Iterable[bytes | memoryview]) -> None:
    """Send a request; a server that refuses it before it has all of it is heard, if it says why."""
    connection.endheaders()
    with suppress(BrokenPipeError, ConnectionResetError):
        for piece in pieces:
            connection.send(piece)


def _whole(response: http.client.HTTPResponse, what: str, limit: int) -> bytes:
    data = response.read(limit + 1)
    if len(data) > limit:
        raise Unavailable(f"the server of {what} answers with more than {limit} bytes to a question")
    if response.length:
        raise TryAgain(f"the connection broke while asking for {what}: {response.length} bytes are missing")
    return data


def _target(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _lowered(response: http.client.HTTPResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in response.getheaders()}


def _pieces(response: http.client.HTTPResponse, what: str) -> Iterator[bytes]:
    while True:
        with _broken(what):
            piece = response.read1(_PIECE_BYTES)
        if not piece:
            break
        yield piece
    if response.length:
        raise TryAgain(f"the connection broke while fetching {what}: {response.length} bytes are missing")


@contextmanager
def _broken(what: str) -> Iterator[None]:
    try:
        yield
    except (OSError, http.client.HTTPException) as error:
        raise TryAgain(f"the connection broke while fetching {what}: {type(error).__name__}") from error
