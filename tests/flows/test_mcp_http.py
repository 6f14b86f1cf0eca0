"""The MCP server over HTTP as a real process, and our own client of it."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from mcp import Client

from tests.servers.mcp_http import COMMANDS, OURS, Serving, serving

pytestmark = pytest.mark.anyio
TOKEN = "0123456789abcdef-0123456789abcdef"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def ours() -> Iterator[Serving]:
    """Our server on a home with nothing in it, for all who leave it running."""
    with serving((*OURS, "--toolsets", "all")) as server:
        yield server


@pytest.fixture(scope="module")
def commands() -> Iterator[Serving]:
    """A server of commands that take their time, for all who leave it running."""
    with serving(COMMANDS) as server:
        yield server


@pytest.fixture
def ending() -> Iterator[Serving]:
    """The same for one test, which ends it."""
    with serving(COMMANDS) as server:
        yield server


def test_our_client_lists_calls_reads_and_prompts_over_http_as_over_stdio(
    cli: Callable[..., Any], ours: Serving
) -> None:
    at = ("--server", ours.url)
    over_http, over_stdio = cli("mcp", "ls", *at, "--json").json, cli("mcp", "ls", "--json").json
    assert over_http == over_stdio
    assert {prompt["name"] for prompt in over_http["prompts"]} == {"choose_model", "diagnose_machine", "compare_models"}

    called = cli("mcp", "call", "config_get", "name=infer.threads", *at, "--json").json
    assert called == cli("mcp", "call", "config_get", "name=infer.threads", "--json").json
    assert json.loads(cli("mcp", "read", "accel://version", *at, "-q").stdout)["version"]

    prompt = cli("mcp", "prompt", "diagnose_machine", "code=not-found", *at, "--json").json
    assert [message["kind"] for message in prompt["messages"]] == ["text", "resource", "resource", "resource"]
    assert prompt["messages"][1]["uri"] == "accel://errors/not-found"
    assert "next:" in cli("mcp", "call", "model_show", "name=nothing", *at).stderr


def test_a_tool_error_over_http_is_the_error_of_the_command_itself(cli: Callable[..., Any], ours: Serving) -> None:
    direct = cli("model", "show", "nothing", "--json")
    through = cli("mcp", "call", "model_show", "name=nothing", "--server", ours.url, "--json")
    assert (direct.status, direct.json) == (through.status, through.json)


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (("prompt", "no_such_prompt"), 3, "no prompt named"),
        (("prompt", "choose_model"), 2, "task"),
        (("prompt", "choose_model", "task"), 2, "NAME=VALUE"),
        (("prompt", "compare_models", "first=a", "second=b"), 3, "no model named 'a'"),
        (("call", "no_such_tool"), 3, "no tool named"),
    ],
)
def test_what_goes_wrong_over_http_is_told(
    cli: Callable[..., Any], ours: Serving, arguments: tuple[str, ...], status: int, told: str
) -> None:
    ran = cli("mcp", *arguments, "--server", ours.url)
    assert (ran.status, ran.stdout) == (status, ""), ran.stderr
    assert told in ran.stderr


def test_a_server_that_is_not_there_or_is_no_mcp_server_is_told(cli: Callable[..., Any], ours: Serving) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    assert cli("mcp", "ls", "--server", f"http://127.0.0.1:{port}/mcp").status == 6
    wrong = cli("mcp", "ls", "--server", ours.url.replace("/mcp", "/nothing"))
    assert (wrong.status, "no MCP server" in wrong.stderr) == (3, True)
    offline = cli("mcp", "ls", "--server", ours.url, "--offline", "--json")
    assert (offline.status, offline.json["error"]["code"]) == (6, "offline")


def test_with_a_token_only_its_holder_gets_in(cli: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    file.chmod(0o600)
    with serving((*OURS, "--host", "0.0.0.0", "--token-file", str(file))) as server:
        url = server.url.replace("0.0.0.0", "127.0.0.1")
        assert cli("mcp", "ls", "--server", url, IPFS_ACCEL_MCP_TOKEN=TOKEN).status == 0
        without = cli("mcp", "ls", "--server", url)
        assert (without.status, "wants a token" in without.stderr) == (7, True)
        wrong = cli("mcp", "ls", "--server", url, IPFS_ACCEL_MCP_TOKEN="x" * 20)
        assert (wrong.status, "another token" in wrong.stderr) == (7, True)

        refused = httpx.post(url, json={})
        assert refused.status_code == 401
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.headers["www-authenticate"].startswith("Bearer")
        assert refused.json()["code"] == "not-authorised"
        assert httpx.get(url).status_code == httpx.delete(url).status_code == 401
        log = server.stderr
    assert TOKEN not in log


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (("--host", "0.0.0.0"), 2, "a token is needed"),
        (("--token-file", "none"), 2, "token file"),
        (("--port", "70000"), 2, "port"),
        (("--offline",), 6, "opens a socket"),
        (("--toolsets", "nothing"), 2, "no toolset"),
    ],
)
def test_an_unsafe_or_impossible_address_is_refused_before_anything_is_served(
    cli: Callable[..., Any], arguments: tuple[str, ...], status: int, told: str
) -> None:
    ran = cli("serve-mcp", "--http", "--port", "0", *arguments)
    assert (ran.status, ran.stdout) == (status, "")
    assert told in ran.stderr
    assert "serving MCP at" not in ran.stderr


def test_an_address_of_another_machine_is_refused(cli: Callable[..., Any]) -> None:
    ran = cli("serve-mcp", "--http", "--host", "no such host", IPFS_ACCEL_MCP_TOKEN=TOKEN)
    assert (ran.status, "no address" in ran.stderr) == (2, True)
    ran = cli("serve-mcp", "--http", "--host", "192.0.2.1", IPFS_ACCEL_MCP_TOKEN=TOKEN)
    assert (ran.status, "cannot listen" in ran.stderr) == (6, True)


def test_a_port_that_is_taken_is_told(cli: Callable[..., Any], ours: Serving) -> None:
    ran = cli("serve-mcp", "--http", "--port", ours.url.split(":")[2].removesuffix("/mcp"))
    assert (ran.status, "--port 0" in ran.stderr) == (6, True)


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"host": "evil.example"}, 421), ({"origin": "http://evil.example"}, 403), ({"origin": "null"}, 403)],
)
def test_a_foreign_page_cannot_reach_the_server(ours: Serving, headers: dict[str, str], status: int) -> None:
    for method in ("GET", "POST", "DELETE", "OPTIONS"):
        assert httpx.request(method, ours.url, headers=headers).status_code == status


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_sixteen_clients_at_once_get_their_own_answers_and_progress(commands: Serving, mode: str) -> None:
    async def one(number: int) -> None:
        heard: list[str | None] = []

        async def hear(progress: float, total: float | None, message: str | None) -> None:
            heard.append(message)

        async with Client(commands.url, mode=mode) as client:
            for turn in range(2):
                heard.clear()
                tag, total = f"client-{number}-{turn}", 5 + number
                answer = await client.call_tool("count", {"tag": tag, "total": total}, progress_callback=hear)
                assert answer.structured_content == {"tag": tag, "total": total}
                assert heard
                assert {str(message).split()[0] for message in heard} == {tag}

    with anyio.fail_after(120):
        async with anyio.create_task_group() as group:
            for number in range(16):
                group.start_soon(one, number)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_cancelling_over_http_stops_the_thread(commands: Serving, tmp_path: Path, mode: str) -> None:
    trace = tmp_path / "trace"
    async with Client(commands.url, mode=mode) as client:

        async def hear(progress: float, total: float | None, message: str | None) -> None: ...

        async with anyio.create_task_group() as group:
            group.start_soon(partial(client.call_tool, "endless", {"trace": str(trace)}, progress_callback=hear))
            with anyio.fail_after(60):
                while not trace.exists():
                    await anyio.sleep(0.02)
            group.cancel_scope.cancel()
        with anyio.fail_after(20):
            while not Path(f"{trace}.ended").exists():
                await anyio.sleep(0.05)
        rounds = trace.read_text()
        await anyio.sleep(0.3)
        assert trace.read_text() == rounds
        assert not (await client.call_tool("count", {"tag": "next", "total": 1})).is_error


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_lets_a_call_finish_and_ends_cleanly(ending: Serving, tmp_path: Path, number: int) -> None:
    async with Client(ending.url) as client, anyio.create_task_group() as group:
        answers: list[Any] = []

        async def call() -> None:
            answers.append(await client.call_tool("patient", {"folder": str(tmp_path)}))

        with anyio.fail_after(60):
            group.start_soon(call)
            while not (tmp_path / "begun").exists():
                await anyio.sleep(0.02)
            ending.process.send_signal(number)
            # The signal is heard a moment later than it is sent; from then on nothing new is begun.
            while not (late := await client.call_tool("count", {"tag": "late", "total": 1})).is_error:
                await anyio.sleep(0.02)
            assert json.loads(late.content[0].text)["code"] == "try-again"
            (tmp_path / "go").touch()
    assert not answers[0].is_error
    assert ending.process.wait(timeout=30) == 0
    assert "Traceback" not in ending.stderr


async def test_a_call_that_does_not_finish_is_cancelled_when_the_server_ends(ending: Serving, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    async with Client(ending.url, mode="legacy") as client, anyio.create_task_group() as group:
        answers: list[Any] = []

        async def call() -> None:
            answers.append(await client.call_tool("endless", {"trace": str(trace)}))

        group.start_soon(call)
        while not trace.exists():
            await anyio.sleep(0.05)
        ending.process.send_signal(signal.SIGTERM)
    assert json.loads(answers[0].content[0].text)["code"] == "cancelled"
    assert ending.process.wait(timeout=30) == 0
    assert Path(f"{trace}.ended").read_text() == "Cancelled"


@pytest.mark.parametrize("transport", ["stdio", "http"])
async def test_stray_output_never_reaches_the_wire(commands: Serving, transport: str) -> None:
    if transport == "http":
        async with Client(commands.url) as client:
            assert (await client.call_tool("chatter", {})).structured_content == {"tag": "chatter", "total": 3}
        return
    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    messages = [
        {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "chatter", "arguments": {}}},
    ]
    with subprocess.Popen(
        [sys.executable, *COMMANDS[:2]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        assert server.stderr is not None
        server.stdin.write(b"".join(json.dumps(message).encode() + b"\n" for message in messages))
        server.stdin.flush()
        lines = [json.loads(server.stdout.readline()) for _ in range(2)]
        server.stdin.close()
        rest, noise = server.stdout.read(), server.stderr.read()
    assert [line["id"] for line in lines] == [0, 1]
    assert rest == b""
    assert all(word in noise for word in (b"PRINTED", b"WRITTEN", b"CHILD"))


def test_nothing_is_left_listening_after_the_end() -> None:
    with serving() as server:
        assert server.stop() == 0
        with pytest.raises(httpx.ConnectError):
            httpx.get(server.url)
