"""The connections of `core/lines.py` under a client of httpx, whose redirects, logins and checks stay what they are."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from functools import partial
from typing import Any

import httpx

from ipfs_accel_cli.core.bodies import Reading
from ipfs_accel_cli.core.lines import Exchange, Lines, Request, Unreachable


class DirectTransport(httpx.BaseTransport):
    """Speaks HTTP/1.1 without proxies. `direct_body` of the extensions of a response is what its body is read from."""

    def __init__(self, certificates: str | None) -> None:
        self._lines = Lines(certificates)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return the answer, its body not read; raises what httpx raises."""
        scheme, port = request.url.scheme, request.url.port
        if scheme not in ("http", "https"):
            raise httpx.UnsupportedProtocol(f"{scheme!r} is no protocol of the web", request=request)
        origin = (scheme, request.url.raw_host.decode("ascii"), port or (443 if scheme == "https" else 80))
        target, data = request.url.raw_path.decode("ascii"), request.read()
        asked = Request(request.method, origin, target, request.headers.raw, (data,) if data else (), names_host=False)
        exchange = self._lines.ask(asked, partial(_meaning, request))
        answer = exchange.answer
        extensions = {
            "http_version": b"HTTP/1.1" if answer.version == 11 else b"HTTP/1.0",
            "reason_phrase": answer.reason.encode("latin-1", "replace"),
            "network_stream": _Peer(exchange.peer),
            "direct_body": exchange.body,
        }
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.getheaders()]
        return httpx.Response(answer.status, headers=headers, stream=_Stream(exchange), extensions=extensions)

    def close(self) -> None:
        """Close the connections that nobody uses; those in use are closed by whoever reads them."""
        self._lines.close()


class _Peer:
    """Who is at the other end, told as httpx tells it."""

    def __init__(self, address: Any) -> None:
        self._address = address

    def get_extra_info(self, info: str) -> Any:
        return self._address if info == "server_addr" else None


class _Stream(httpx.SyncByteStream):
    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def __iter__(self) -> Iterator[bytes]:
        yield from Reading(self._exchange.body).pieces()

    def close(self) -> None:
        self._exchange.close()


def _meaning(request: httpx.Request, error: Exception) -> httpx.TransportError:
    """Return what httpx would have raised, for an error of http.client or of the socket below it."""
    if isinstance(error, Unreachable):
        return httpx.ConnectError(str(error), request=request)
    if isinstance(error, TimeoutError):
        return httpx.ReadTimeout("nothing came any more", request=request)
    if isinstance(error, http.client.IncompleteRead):
        return httpx.RemoteProtocolError("the body ended too early", request=request)
    if isinstance(error, OSError):
        return httpx.ReadError(str(error) or "the connection broke", request=request)
    return httpx.RemoteProtocolError(f"no answer of HTTP: {error}", request=request)
