"""Connections of httpx over http.client, whose bodies come into memory without a detour, in chunks or not.

Redirects, logins and checks stay those of the client that this is made part of.
"""

from __future__ import annotations

import http.client
import ssl
import threading
from collections.abc import Iterator
from typing import Any

import httpx

_PIECE_BYTES = 64 << 10
_MOST_IDLE = 8
_Origin = tuple[str, str, int | None]


class DirectTransport(httpx.BaseTransport):
    """Speaks HTTP/1.1 without proxies. `direct_body` of the extensions of a response is what its body is read from."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._idle: dict[_Origin, list[http.client.HTTPConnection]] = {}
        self._lock = threading.Lock()
        self._closed = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return the answer, its body not read; raises what httpx raises."""
        origin = (request.url.scheme, request.url.raw_host.decode("ascii"), request.url.port)
        if origin[0] not in ("http", "https"):
            raise httpx.UnsupportedProtocol(f"{origin[0]!r} is no protocol of the web", request=request)
        with self._lock:
            waiting = self._idle.get(origin)
            connection = waiting.pop() if waiting else None
        if connection is not None:
            # A connection that was idle may have been closed by the other side meanwhile.
            try:
                return self._asked(connection, origin, request)
            except (httpx.ReadError, httpx.RemoteProtocolError):
                connection.close()
        return self._asked(self._connected(origin, request), origin, request)

    def close(self) -> None:
        """Close the connections that nobody uses; those in use are closed by whoever reads them."""
        with self._lock:
            self._closed = True
            for connection in [one for idle in self._idle.values() for one in idle]:
                connection.close()
            self._idle.clear()

    def _connected(self, origin: _Origin, request: httpx.Request) -> http.client.HTTPConnection:
        scheme, host, port = origin
        seconds = request.extensions.get("timeout", {})
        connection: http.client.HTTPConnection
        if scheme == "https":
            connection = http.client.HTTPSConnection(
                host, port or 443, timeout=seconds.get("connect"), context=self._context
            )
        else:
            connection = http.client.HTTPConnection(host, port or 80, timeout=seconds.get("connect"))
        try:
            connection.connect()
        except TimeoutError as error:
            raise httpx.ConnectTimeout(str(error), request=request) from error
        except OSError as error:
            raise httpx.ConnectError(str(error), request=request) from error
        connection.sock.settimeout(seconds.get("read"))
        return connection

    def _asked(self, connection: http.client.HTTPConnection, origin: _Origin, request: httpx.Request) -> httpx.Response:
        try:
            address, target = connection.sock.getpeername(), request.url.raw_path.decode("ascii")
            connection.putrequest(request.method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in request.headers.raw:
                connection.putheader(name, value)
            connection.endheaders(request.read() or None)
            answer = connection.getresponse()
        except (OSError, http.client.HTTPException, ValueError) as error:
            connection.close()
            raise of_http(error, request) from error
        extensions = {
            "http_version": b"HTTP/1.1" if answer.version == 11 else b"HTTP/1.0",
            "reason_phrase": answer.reason.encode("latin-1", "replace"),
            "network_stream": _Peer(address),
            "direct_body": answer,
        }
        stream = _Stream(self, connection, origin, answer, request)
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.getheaders()]
        return httpx.Response(answer.status, headers=headers, stream=stream, extensions=extensions)

    def _keep(self, connection: http.client.HTTPConnection, origin: _Origin) -> None:
        with self._lock:
            idle = self._idle.setdefault(origin, [])
            if not self._closed and len(idle) < _MOST_IDLE:
                idle.append(connection)
                return
        connection.close()


class _Peer:
    """Who is at the other end, told as httpx tells it."""

    def __init__(self, address: Any) -> None:
        self._address = address

    def get_extra_info(self, info: str) -> Any:
        return self._address if info == "server_addr" else None


class _Stream(httpx.SyncByteStream):
    def __init__(
        self,
        transport: DirectTransport,
        connection: http.client.HTTPConnection,
        origin: _Origin,
        answer: http.client.HTTPResponse,
        request: httpx.Request,
    ) -> None:
        self._transport, self._connection, self._origin = transport, connection, origin
        self._answer, self._request = answer, request

    def __iter__(self) -> Iterator[bytes]:
        while True:
            try:
                piece = self._answer.read1(_PIECE_BYTES)
                if not piece:
                    return check_end(self._answer)
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise of_http(error, self._request) from error
            yield piece

    def close(self) -> None:
        whole = self._answer.isclosed() or self._answer.length == 0
        self._answer.close()
        if whole and self._connection.sock is not None:
            self._transport._keep(self._connection, self._origin)
        else:
            self._connection.close()


def check_end(answer: http.client.HTTPResponse) -> None:
    """Raise IncompleteRead for a body that ended before its length, which http.client lets pass."""
    if answer.length:
        raise http.client.IncompleteRead(b"", answer.length)


def of_http(error: Exception, request: httpx.Request) -> httpx.TransportError:
    """Return what httpx would have raised, for an error of http.client or of the socket below it."""
    if isinstance(error, TimeoutError):
        return httpx.ReadTimeout("nothing came any more", request=request)
    if isinstance(error, http.client.IncompleteRead):
        return httpx.RemoteProtocolError("the body ended too early", request=request)
    if isinstance(error, OSError):
        return httpx.ReadError(str(error) or "the connection broke", request=request)
    return httpx.RemoteProtocolError(f"no answer of HTTP: {error}", request=request)
