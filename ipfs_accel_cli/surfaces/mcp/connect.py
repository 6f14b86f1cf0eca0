"""Reaching an MCP server: a command to start, or the URL of one that serves over HTTP."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

import anyio
import httpx2
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import AccelError, NotAuthorised, NotFound, TryAgain, Unavailable
from ipfs_accel_cli.core.paths import HOME_VARIABLE
from ipfs_accel_cli.node import node
from ipfs_accel_cli.surfaces.mcp.guard import TOKEN_VARIABLE, read_token

T = TypeVar("T")
Ask = Callable[[Client], Awaitable[T]]


def ask_server(server: str, ask: Ask[T]) -> T:
    """Connect, ask, and return the answer; `server` is a command line or an http(s) URL, empty for our own.

    Raises Unavailable when it cannot be started or reached, NotAuthorised when it wants another token, and whatever
    `ask` raises.
    """
    if server.startswith(("http://", "https://")):
        return _over_http(server, ask)
    return _over_stdio(shlex.split(server) if server else _ourselves(), ask)


def _over_stdio(command: Sequence[str], ask: Ask[T]) -> T:
    if shutil.which(command[0]) is None:
        raise Unavailable(
            f"no program named {command[0]!r} to start the server with", suggestion="ipfs-accel mcp ls --help"
        )
    environment = {name: value for name, value in os.environ.items() if name != TOKEN_VARIABLE}
    environment[HOME_VARIABLE] = str(node().home.path)
    parameters = StdioServerParameters(command=command[0], args=list(command[1:]), env=environment)

    async def session() -> T:
        async with Client(parameters) as client:
            return await ask(client)

    try:
        return anyio.run(session)
    except BaseException as error:
        raise _unwrapped(error, shlex.join(command), "run that command to see what it prints") from error


def _over_http(url: str, ask: Ask[T]) -> T:
    current().needs_network(f"the server at {url}")
    statuses: list[int] = []

    async def session() -> T:
        async with _transport(url, statuses) as client:
            return await ask(client)

    try:
        return anyio.run(session)
    except BaseException as error:
        known = _unwrapped(error, url, "ipfs-accel serve-mcp --http")
        if isinstance(known, Unavailable) and statuses:
            raise _refused(url, statuses[-1], known) from error
        raise known from error


@asynccontextmanager
async def _transport(url: str, statuses: list[int]) -> AsyncIterator[Client]:
    async def remember(response: httpx2.Response) -> None:
        statuses.append(response.status_code)

    token = read_token(None)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    # A tool may run for as long as it likes without a word; only the connection itself has a deadline.
    timeout = httpx2.Timeout(30.0, read=None)
    async with (
        httpx2.AsyncClient(headers=headers, timeout=timeout, event_hooks={"response": [remember]}) as web,
        Client(streamable_http_client(url, http_client=web)) as client,
    ):
        yield client


def _ourselves() -> list[str]:
    offline = ["--offline"] if current().offline else []
    return [sys.executable, "-m", "ipfs_accel_cli", "serve-mcp", "--toolsets", "all", *offline]


def _unwrapped(error: BaseException, server: str, suggestion: str) -> BaseException:
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    if isinstance(error, AccelError | KeyboardInterrupt):
        return error
    return Unavailable(f"the server {server!r} did not answer: {error}", suggestion=suggestion)


def _refused(url: str, status: int, otherwise: Unavailable) -> AccelError:
    """Return what an HTTP status says about a conversation that failed."""
    if status in (401, 403):
        how = "it wants another token" if os.environ.get(TOKEN_VARIABLE) else "it wants a token"
        return NotAuthorised(f"the server {url!r} does not let us in: {how}", suggestion=f"put it in {TOKEN_VARIABLE}")
    if status == 404:
        return NotFound(f"there is no MCP server at {url!r}", suggestion="look for the right path, often /mcp")
    if status in (429, 503):
        return TryAgain(f"the server {url!r} is busy or going down (HTTP {status})")
    return otherwise
