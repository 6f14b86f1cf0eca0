"""Reading an answer straight off a connection, in large pieces: less work for each byte than a client of many arts.

Only the owner's own calls go this way, and only where no proxy stands between; any other goes through `http.client`.
"""

from __future__ import annotations

import http.client
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit
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


@contextmanager
def get(url: str, headers: Mapping[str, str], what: str, *, certificates: str | None = None) -> Iterator[Answer]:
    """Ask for an address that is signed, follow no redirect, and give the answer for the block.

    Raises Unavailable before a connection stood, else TryAgain, also where the answer breaks off.
    """
    call = current()
    call.needs_network(f"fetching {what}")
    if call.folders is None and not getproxies():
        with _straight(url, headers, what, certificates) as answer:
            yield answer
        return
    with explained(what), client(certificates, guarded=True, passwords=False) as opened:
        request = opened.build_request("GET", url, headers=dict(headers))
        response = opened.send(request, stream=True, follow_redirects=False)
        try:
            yield Answer(response.status_code, dict(response.headers), response.iter_raw())
        finally:
            response.close()


@contextmanager
def _straight(url: str, headers: Mapping[str, str], what: str, certificates: str | None) -> Iterator[Answer]:
    parts = urlsplit(url)
    seconds = current().read_seconds
    connect_seconds = min(CONNECT_SECONDS, seconds)
    host = parts.hostname or ""
    connection = (
        http.client.HTTPSConnection(host, parts.port, timeout=connect_seconds, context=trusted(certificates))
        if parts.scheme == "https"
        else http.client.HTTPConnection(host, parts.port, timeout=connect_seconds)
    )
    try:
        try:
            connection.connect()
            connection.sock.settimeout(seconds)
        except (OSError, UnicodeError) as error:
            said = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise Unavailable(f"cannot reach the server of {what}: {said}") from error
        with _broken(what):
            connection.request("GET", f"{parts.path or '/'}?{parts.query}", headers=dict(headers))
            response = connection.getresponse()
        told = {name.lower(): value for name, value in response.getheaders()}
        yield Answer(response.status, told, _pieces(response, what))
    finally:
        with suppress(OSError):
            connection.close()


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
