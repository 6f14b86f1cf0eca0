"""The MCP server as an ASGI application: streamable HTTP of both protocol eras, guarded, for us or for another app."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import anyio
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.subscriptions import ListenHandler
from starlette.types import Receive, Scope, Send

from ipfs_accel_cli.core.errors import AccelError, TryAgain, Unavailable
from ipfs_accel_cli.node import Node
from ipfs_accel_cli.surfaces.mcp.body import Bodies
from ipfs_accel_cli.surfaces.mcp.guard import Guard, Refusal
from ipfs_accel_cli.surfaces.mcp.select import Selection
from ipfs_accel_cli.surfaces.mcp.server import Server, build

# What a running call gets to finish by itself, and then to stop, when the server ends.
GRACE_SECONDS, STOP_SECONDS = 5.0, 5.0
# A client often asks for the list of tools right after an answer, to check it.
_LOOK_SECONDS, _QUIET_LOOKS = 0.02, 8


class Application:
    """An ASGI application that speaks MCP at whatever path it is mounted; run its `lifespan` around the serving.

    Under a server of its own it answers the lifespan messages itself. A mounted application is not told of them: give
    `application.lifespan` to the app that mounts it, or enter it in that app's own lifespan.
    """

    def __init__(self, server: Server, guard: Guard) -> None:
        self.server = server
        self._guard = guard
        self._manager: StreamableHTTPSessionManager | None = None
        self._requests = 0
        self._bodies = Bodies()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request, or the lifespan of an ASGI server."""
        if scope["type"] == "lifespan":
            await _follow(receive, send, self.lifespan())
            return
        if scope["type"] != "http":
            return
        refusal = self._guard.refuses(_headers(scope))
        if refusal is not None:
            await _answer(send, refusal.status, refusal.problem(), _challenge(refusal))
        elif self._manager is None:
            problem = Unavailable(
                "this server has not been started", suggestion="run its lifespan: see docs/assistants.md"
            )
            await _answer(send, 503, problem.problem())
        else:
            await self._handle(self._manager, scope, receive, send)

    @asynccontextmanager
    async def lifespan(self, app: object = None) -> AsyncIterator[None]:
        """Accept requests for the block; at its end let running calls finish, then stop them. May be entered again."""
        manager = StreamableHTTPSessionManager(self.server.lowlevel)
        async with manager.run():
            self._manager, self.server.state.running.closed = manager, False
            try:
                yield
            finally:
                with anyio.CancelScope(shield=True):
                    await self.drain()
                self._manager = None

    async def drain(self) -> None:
        """Take no more calls, and return when those that run are answered, or will not stop."""
        running = self.server.state.running
        running.closed = True
        self._bodies.stop()
        listening = self.server.lowlevel.get_request_handler("subscriptions/listen")
        if listening is not None and isinstance(listening.handler, ListenHandler):
            listening.handler.close()
        await self._idle(GRACE_SECONDS)
        running.stop()
        await self._idle(STOP_SECONDS)

    async def _handle(self, manager: StreamableHTTPSessionManager, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            whole = await self._bodies.take(receive, _headers(scope).get("content-length", ""))
        except AccelError as error:
            # What is left of a body that was given up would be read as the next request.
            close = [(b"connection", b"close")] if isinstance(error, TryAgain) else []
            await _answer(send, error.status, error.problem(), close)
            return
        # A GET holds a stream open for as long as its client likes, so nothing waits for it.
        counted = scope["method"] != "GET"
        self._requests += counted
        try:
            await manager.handle_request(scope, whole, send)
        finally:
            self._requests -= counted

    async def _idle(self, seconds: float) -> None:
        """Wait until nothing runs, and nobody has asked for more for a moment."""
        quiet = 0
        with anyio.move_on_after(seconds):
            while quiet < _QUIET_LOOKS:
                busy = self._requests + self.server.state.running.count()
                quiet = 0 if busy else quiet + 1
                await anyio.sleep(_LOOK_SECONDS)


def asgi_app(
    node: Node,
    selection: Selection | None = None,
    *,
    folders: Sequence[str] = (),
    offline: bool = False,
    token: str | None = None,
    hosts: Sequence[str] = (),
) -> Application:
    """Return the MCP server of a node as an ASGI application, to run by itself or to mount in another.

    It answers to loopback names unless `hosts` lists others (`*` for any, which leaves that check to the app that
    mounts it). Anyone who reaches it may use it unless a `token` is given. Raises Invalid as `build` does.
    """
    guard = Guard(tuple(name.lower() for name in hosts), token) if hosts else Guard(token=token)
    return Application(build(node, selection, folders=folders, offline=offline), guard)


async def _follow(receive: Receive, send: Send, lifespan: AbstractAsyncContextManager[None]) -> None:
    await receive()
    async with lifespan:
        await send({"type": "lifespan.startup.complete"})
        await receive()
    await send({"type": "lifespan.shutdown.complete"})


def _headers(scope: Scope) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        # A header that is sent twice is no header that we know: joined, it fits nothing.
        found[key] = f"{found[key]},{text}" if key in found else text
    return found


def _challenge(refusal: Refusal) -> list[tuple[bytes, bytes]]:
    return [(b"www-authenticate", b'Bearer realm="ipfs-accel"')] if refusal.challenge else []


async def _answer(
    send: Send, status: int, problem: dict[str, Any], headers: Sequence[tuple[bytes, bytes]] = ()
) -> None:
    body = json.dumps(problem, ensure_ascii=False).encode()
    sized = [(b"content-type", b"application/problem+json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*sized, *headers]})
    await send({"type": "http.response.body", "body": body})
