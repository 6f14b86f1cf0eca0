"""The MCP server inside other web applications."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from mcp import Client
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from ipfs_accel_cli import Node
from ipfs_accel_cli.surfaces.mcp.http import Application, asgi_app
from ipfs_accel_cli.surfaces.mcp.select import Selection

pytestmark = pytest.mark.anyio
HELLO = {"jsonrpc": "2.0", "id": 1, "method": "ping"}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def mcp(node: Node) -> Application:
    return asgi_app(node, Selection(("config",)))


@contextlib.contextmanager
def served(app: Any) -> Iterator[str]:
    """Run an ASGI application on loopback, and return its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, ws="none", timeout_graceful_shutdown=5))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


async def answers(url: str) -> bool:
    for mode in ("auto", "legacy"):
        async with Client(url, mode=mode) as client:
            answer = await client.call_tool("config_get", {"name": "infer.threads"})
            assert answer.structured_content is not None
            assert answer.structured_content["value"] == 0
    return True


async def test_it_runs_by_itself_under_any_asgi_server(mcp: Application) -> None:
    with served(mcp) as url:
        assert await answers(url + "/mcp")


async def test_it_mounts_in_fastapi_beside_other_routes(mcp: Application) -> None:
    app = FastAPI(lifespan=mcp.lifespan)

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok"}

    app.add_route("/mcp", mcp)
    with served(app) as url:
        assert await answers(url + "/mcp")
        assert httpx.get(url + "/health").json() == {"status": "ok"}
        assert httpx.get(url + "/openapi.json").status_code == 200


async def test_it_mounts_in_starlette_within_the_lifespan_of_the_app(mcp: Application) -> None:
    opened: list[str] = []

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with mcp.lifespan(app):
            opened.append("database")
            yield

    root = Route("/", endpoint=lambda request: PlainTextResponse("home"))
    app = Starlette(routes=[root, Mount("/tools", app=mcp)], lifespan=lifespan)
    with served(app) as url:
        assert await answers(url + "/tools/")
        # Starlette sends a mount's bare path on with 307, which clients follow.
        assert await answers(url + "/tools")
        assert httpx.get(url).text == "home"
    assert opened == ["database"]


async def test_two_nodes_can_be_served_by_one_app(node: Node, tmp_path: Any) -> None:
    with Node(tmp_path / "second") as second:
        apps = {"/one": asgi_app(node, Selection(("config",))), "/two": asgi_app(second, Selection(("config",)))}

        @asynccontextmanager
        async def lifespan(app: FastAPI) -> AsyncIterator[None]:
            async with contextlib.AsyncExitStack() as stack:
                for mounted in apps.values():
                    await stack.enter_async_context(mounted.lifespan(app))
                yield

        app = FastAPI(lifespan=lifespan)
        for path, mounted in apps.items():
            app.add_route(path, mounted)
        homes = set()
        with served(app) as url:
            for path in apps:
                async with Client(url + path) as client:
                    answer = await client.call_tool("config_path", {})
                    homes.add(answer.structured_content["path"])
    assert homes == {str(node.home.config_file), str(second.home.config_file)}


async def test_a_forgotten_lifespan_is_told_in_the_answer(mcp: Application) -> None:
    app = FastAPI()
    app.add_route("/mcp", mcp)
    with served(app) as url:
        answer = httpx.post(url + "/mcp", json=HELLO)
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert "lifespan" in answer.json()["suggestion"]


async def test_it_can_be_started_again(mcp: Application) -> None:
    for _ in range(2):
        with served(mcp) as url:
            assert await answers(url)


async def test_a_mounted_server_guards_itself(node: Node) -> None:
    app = asgi_app(node, Selection(("config",)), token="t" * 20, hosts=["localhost"])
    with served(app) as url:
        local = url.replace("127.0.0.1", "localhost")
        allowed = {"authorization": f"Bearer {'t' * 20}"}
        assert httpx.post(local, json=HELLO).status_code == 401
        assert httpx.post(url, json=HELLO, headers=allowed).status_code == 421
        assert httpx.post(local, json=HELLO, headers=allowed | {"origin": "http://evil.example"}).status_code == 403
        assert httpx.post(local, json=HELLO, headers=allowed).status_code not in (401, 403, 421)
