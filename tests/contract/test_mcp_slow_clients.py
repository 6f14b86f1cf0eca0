"""Clients that send too much, too slowly, or nothing at all."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator

import httpx
import pytest
import uvicorn

from ipfs_accel_cli import Node
from ipfs_accel_cli.surfaces.mcp import body, http, listen
from ipfs_accel_cli.surfaces.mcp.http import Application, asgi_app
from ipfs_accel_cli.surfaces.mcp.select import Selection
from tests.servers.mcp_http import OURS, serving

ACCEPT = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
}
HEAD = b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n"


@contextlib.contextmanager
def served(app: Application) -> Iterator[int]:
    """Serve as `serve-mcp --http` does, and return the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(app, http=listen.ImpatientProtocol, log_config=None, ws="none")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def app(node: Node) -> Application:
    return asgi_app(node, Selection(("config",)))


def sent(port: int, data: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=20)
    connection.sendall(data)
    return connection


def answered(connection: socket.socket) -> bytes:
    """Return all that comes until the server hangs up."""
    parts = []
    with connection:
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_that_is_too_large_is_refused_unread_and_told(app: Application, declared: bool) -> None:
    size = body.BODY_BYTES + 1
    content = b"x" * size if declared else (b"x" * 65536 for _ in range(size // 65536 + 1))
    with served(app) as port:
        answer = httpx.post(f"http://127.0.0.1:{port}/mcp", content=content, headers=ACCEPT)
        assert (answer.status_code, answer.json()["code"]) == (413, "limit-reached")
        assert "4.0 MiB" in answer.json()["detail"]
        assert httpx.post(f"http://127.0.0.1:{port}/mcp", json=HELLO, headers=ACCEPT).status_code == 200


def test_a_body_as_large_as_is_allowed_is_read(app: Application) -> None:
    padded = json.dumps(HELLO).encode().ljust(body.BODY_BYTES)
    with served(app) as port:
        answer = httpx.post(f"http://127.0.0.1:{port}/mcp", content=padded, headers=ACCEPT)
    assert answer.status_code == 200


def test_a_body_that_does_not_arrive_in_time_is_given_up(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "BODY_SECONDS", 0.3)
    with served(app) as port:
        told = answered(sent(port, HEAD + b"\r\n{"))
    head, _, problem = told.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 503")
    assert json.loads(problem)["code"] == "try-again"


@pytest.mark.parametrize("begun", [b"", b"POST /mcp HT", HEAD])
def test_who_does_not_finish_the_head_is_hung_up_on(
    app: Application, monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    monkeypatch.setattr(listen, "HEAD_SECONDS", 0.3)
    with served(app) as port:
        assert answered(sent(port, begun)) == b""


def test_a_head_that_comes_in_pieces_in_time_is_read(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(app) as port, sent(port, HEAD[:20]) as connection:
        connection.sendall(HEAD[20:] + b"Connection: close\r\n\r\n" + json.dumps({}).encode().ljust(100))
        assert connection.recv(65536).startswith(b"HTTP/1.1 4")


def test_a_client_that_hangs_up_in_its_body_leaves_the_server_well(app: Application) -> None:
    with served(app) as port:
        sent(port, HEAD + b"\r\n{").close()
        assert httpx.post(f"http://127.0.0.1:{port}/mcp", json=HELLO, headers=ACCEPT).status_code == 200


def test_slow_clients_hold_up_neither_the_others_nor_the_end() -> None:
    with serving((*OURS, "--toolsets", "config")) as server:
        port = int(server.url.split(":")[2].removesuffix("/mcp"))
        slow = [sent(port, begun) for begun in (HEAD + b"\r\n{", HEAD, b"", b"POST") for _ in range(25)]
        answer = httpx.post(server.url, json=HELLO, headers=ACCEPT)
        assert answer.status_code == 200
        server.process.terminate()
        # Well before the time that a running call would get.
        assert server.process.wait(timeout=http.GRACE_SECONDS + http.STOP_SECONDS + 20) == 0
        assert "Traceback" not in server.stderr
        told = [answered(connection) for connection in slow]
    assert [b"try-again" in one for one in told] == [True] * 25 + [False] * 75
