"""The page on assistants: each snippet parses, and what it starts or connects to is our server."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from mcp import Client

from ipfs_accel_cli import __version__
from tests.contract.test_mcp_mounting import served
from tests.servers.mcp_http import OURS, serving

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "assistants.md").read_text(encoding="utf-8")
READ: dict[str, Callable[[str], Any]] = {"json": json.loads, "toml": tomllib.loads, "yaml": yaml.safe_load}
TOKEN, VARIABLE, URL = "a-token-that-only-this-test-knows", "IPFS_ACCEL_MCP_TOKEN", "http://127.0.0.1:8765/mcp"
# How assistants write "the value of this variable"; Zed has no way to, and takes the token itself.
REFERENCE = re.compile(r"\$\{\{ secrets\.NAME \}\}|\$\{(?:env:|input:)?NAME\}|\$?NAME".replace("NAME", VARIABLE))
HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
}


def blocks(*kinds: str) -> list[tuple[str, str]]:
    found = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return [(kind, text) for kind, text in found if kind in kinds]


def servers(value: Any) -> Iterator[dict[str, Any]]:
    """Yield whatever in a configuration names a command or an address."""
    if isinstance(value, dict):
        if {"command", "url", "serverUrl", "httpUrl"} & value.keys():
            yield value
        else:
            for part in value.values():
                yield from servers(part)
    elif isinstance(value, list):
        for part in value:
            yield from servers(part)


CONFIGURED = [server for kind, text in blocks(*READ) for server in servers(READ[kind](text))]
STARTED = [server for server in CONFIGURED if "command" in server]
REACHED = [server for server in CONFIGURED if "command" not in server]
LINES = [shlex.split(line) for _, text in blocks("bash") for line in text.splitlines()]


def command_lines() -> list[list[str]]:
    """Return every distinct command line that starts a server over stdio."""
    lines = [[server["command"], *server["args"]] for server in STARTED]
    for words in LINES:
        if words[0] == "claude":
            lines.append(words[words.index("--") + 1 :])
        elif words[:2] == ["ipfs-accel", "serve-mcp"] and "--http" not in words:
            lines.append(words)
        elif "-s" in words:
            lines.append(shlex.split(words[words.index("-s") + 1]))
    return [list(words) for words in dict.fromkeys(map(tuple, lines))]


def test_every_assistant_has_a_snippet_for_each_transport_that_it_speaks() -> None:
    assert (len(STARTED), len(REACHED)) == (10, 8)
    names = ("Claude Desktop", "Claude Code", "VS Code", "Cursor", "Windsurf", "Zed", "Continue", "Gemini CLI")
    for name in (*names, "Codex CLI", "Any other"):
        assert f"### {name}\n" in PAGE


@pytest.mark.parametrize("words", command_lines(), ids=shlex.join)
def test_the_command_of_a_snippet_starts_a_server_that_answers(words: list[str]) -> None:
    assert words[0] == "ipfs-accel"
    done = subprocess.run(
        [sys.executable, "-m", "ipfs_accel_cli", *words[1:]],
        input=json.dumps(HELLO).encode() + b"\n",
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["result"]["serverInfo"]["version"] == __version__


def test_the_addresses_and_headers_of_the_snippets_open_a_server_that_wants_a_token() -> None:
    with serving((*OURS, "--toolsets", "config"), **{VARIABLE: TOKEN}) as server:
        for configured in REACHED:
            (url,) = (configured[key] for key in ("url", "serverUrl", "httpUrl") if key in configured)
            assert url == URL
            answer = httpx.post(server.url, json=HELLO, headers=_accepting(_headers(configured)))
            assert answer.status_code == 200, configured
            assert "serverInfo" in answer.text
        assert httpx.post(server.url, json=HELLO, headers=_accepting({})).status_code == 401


def _headers(configured: dict[str, Any]) -> dict[str, str]:
    """Return the headers that the assistant would send, the token put in for its name."""
    if "bearer_token_env_var" in configured:
        assert configured["bearer_token_env_var"] == VARIABLE
        return {"Authorization": f"Bearer {TOKEN}"}
    headers = configured.get("headers") or configured["requestOptions"]["headers"]
    return {name: REFERENCE.sub(TOKEN, value) for name, value in headers.items()}


def _accepting(headers: dict[str, str]) -> dict[str, str]:
    return headers | {"Accept": "application/json, text/event-stream"}


def test_the_address_on_the_page_is_where_the_server_listens_by_default() -> None:
    from ipfs_accel_cli.surfaces.mcp.listen import PATH
    from ipfs_accel_cli.surfaces.mcp.server import Http

    assert f"http://{Http().host}:{Http().port}{PATH}" == URL


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.anyio
@pytest.mark.parametrize("text", [text for _, text in blocks("python")], ids=["fastapi", "starlette"])
async def test_an_example_of_mounting_serves(text: str) -> None:
    scope: dict[str, Any] = {}
    exec(compile(text, "docs/assistants.md", "exec"), scope)  # the page is ours
    with served(scope["app"]) as url:
        async with Client(url + "/mcp") as client:
            tools = {tool.name for tool in (await client.list_tools()).tools}
    assert "hw_info" in tools


def test_every_option_on_the_page_exists(cli: Callable[..., Any]) -> None:
    known = cli("serve-mcp", "--help").stdout
    table = PAGE.split("## What it may do")[1].split("## Inside")[0]
    for option in set(re.findall(r"--[a-z][a-z-]+", table)):
        assert option in known


def test_what_cannot_be_reached_points_to_a_page_that_exists() -> None:
    from ipfs_accel_cli.surfaces.mcp import http

    named = re.findall(r"docs/[\w-]+\.md", Path(str(http.__file__)).read_text())
    assert named
    assert all((Path(__file__).parents[2] / name).exists() for name in named)
