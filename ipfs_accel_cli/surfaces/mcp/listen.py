"""Serving MCP on a socket until a signal ends it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import Iterator
from types import FrameType

import h11
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route
from uvicorn.protocols.http.h11_impl import H11Protocol

from ipfs_accel_cli.core.errors import Invalid, Offline, Unavailable
from ipfs_accel_cli.surfaces.mcp.guard import guard_for, read_token
from ipfs_accel_cli.surfaces.mcp.http import Application
from ipfs_accel_cli.surfaces.mcp.server import Http, Server

PATH = "/mcp"
HEAD_SECONDS = 30.0


def serve_http(server: Server, http: Http) -> None:
    """Serve at http://HOST:PORT/mcp until SIGINT or SIGTERM; port 0 takes one that is free. The address goes to stderr.

    Raises Invalid for an unsafe binding or token, Unavailable when the address cannot be taken, and Offline.
    """
    if server.state.offline:
        raise Offline(
            "serving over HTTP opens a socket, and --offline forbids it",
            suggestion="ipfs-accel serve-mcp --offline",
        )
    application = Application(server, guard_for(http.host, read_token(http.token_file), http.names))
    with _bound(http.host, http.port) as listener:
        shown = f"[{http.host.strip('[]')}]" if ":" in http.host else http.host
        url = f"http://{shown}:{listener.getsockname()[1]}{PATH}"
        # An object that is no function is served as ASGI, with every method, at exactly this path.
        routes = [Route(PATH, endpoint=application)]
        config = uvicorn.Config(
            Starlette(routes=routes),
            http=ImpatientProtocol,
            log_config=None,
            log_level="warning",
            access_log=False,
            lifespan="off",
            ws="none",
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=1,
        )
        _Listener(config, application, url).run(sockets=[listener])


class ImpatientProtocol(H11Protocol):
    """Hangs up on a client that does not finish the head of its request in time, or says nothing at all."""

    _alarm: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Take what came, and wait on if it is only a part of a head."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._quiet()
        super().connection_lost(exc)

    def _watch(self) -> None:
        # Between two requests nothing is begun, and uvicorn's own limit for idle connections holds.
        begun = self.cycle is None or bool(self.conn.trailing_data[0])
        if self.conn.their_state is not h11.IDLE or not begun:
            self._quiet()
        elif self._alarm is None:
            self._alarm = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _quiet(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None


class _Listener(uvicorn.Server):
    """A uvicorn server that ends its MCP application before its connections, and ends quietly on a signal."""

    def __init__(self, config: uvicorn.Config, application: Application, url: str) -> None:
        super().__init__(config)
        self._application = application
        self._url = url
        self._ending = False

    async def main_loop(self) -> None:
        # Streams that stay open for notifications end with the application; uvicorn would wait for them in vain.
        async with self._application.lifespan():
            sys.stderr.write(f"serving MCP at {self._url}\n")
            sys.stderr.flush()
            await super().main_loop()

    async def on_tick(self, counter: int) -> bool:
        # Not `should_exit`: on that flag the library that writes streams cuts the answers that are still to come.
        return await super().on_tick(counter) or self._ending

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        before = {number: signal.signal(number, self._stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        if self._ending:
            # Who asks twice does not want to wait for running calls.
            self._application.server.state.running.stop()
            self.should_exit = self.force_exit = True
        self._ending = True


def _bound(host: str, port: int) -> socket.socket:
    address = host.strip("[]")
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        raise Invalid(f"{host!r} is no address of this machine: {error}") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(place)
    except (OSError, OverflowError) as error:
        listener.close()
        raise Unavailable(
            f"cannot listen at {host} port {port}: {error}", suggestion="ipfs-accel serve-mcp --http --port 0"
        ) from error
    return listener
