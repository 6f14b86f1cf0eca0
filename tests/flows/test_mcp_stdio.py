"""The MCP client and server as two real processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def test_the_client_lists_calls_and_reads_our_own_server(cli: Callable[..., Any]) -> None:
    listing = cli("mcp", "ls", "--json").json
    assert listing["server"] == "ipfs-accel"
    tools = {tool["name"]: tool for tool in listing["tools"]}
    assert tools["store_rm"]["effect"] == "delete"
    assert tools["model_pull"]["network"] is True
    assert {"accel://hardware", "accel://models/{name}"} <= {found["uri"] for found in listing["resources"]}

    called = cli("mcp", "call", "config_get", "name=infer.threads", "--json").json
    assert called["structured"]["value"] == 0

    version = cli("mcp", "read", "accel://version", "-q")
    assert json.loads(version.stdout)["version"]


def test_a_tool_error_has_the_exit_and_the_text_of_the_command_itself(cli: Callable[..., Any]) -> None:
    direct = cli("model", "show", "nothing", "--json")
    through = cli("mcp", "call", "model_show", "name=nothing", "--json")
    assert direct.status == through.status == 3
    assert direct.json == through.json


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (("call", "no_such_tool"), 3, "no tool named"),
        (("call", "hw_info", "notapair"), 2, "NAME=VALUE"),
        (("call", "hw_info", "--arguments", "{"), 2, "not JSON"),
        (("ls", "--server", "no-such-program-at-all"), 6, "no program named"),
        (("ls", "--server", "false"), 6, "did not answer"),
        (("read", "accel://nonsense"), 3, "cannot read"),
    ],
)
def test_what_goes_wrong_is_told(cli: Callable[..., Any], arguments: tuple[str, ...], status: int, told: str) -> None:
    ran = cli("mcp", *arguments)
    assert (ran.status, ran.stdout) == (status, "")
    assert told in ran.stderr


def test_any_server_over_stdio_can_be_asked(cli: Callable[..., Any], tmp_path: Path) -> None:
    script = tmp_path / "server.py"
    script.write_text(
        "from mcp.server import MCPServer\n"
        "server = MCPServer('adder', log_level='ERROR')\n"
        "@server.tool()\n"
        "def add(a: int, b: int) -> int:\n"
        "    '''Add two numbers.'''\n"
        "    return a + b\n"
        "server.run('stdio')\n"
    )
    server = f"{sys.executable} {script}"
    assert cli("mcp", "ls", "--server", server, "--json").json["tools"][0]["effect"] == "unstated"
    assert cli("mcp", "call", "add", "a=2", "b=3", "--server", server, "--json").json["structured"] == {"result": 5}


def test_the_server_ends_when_its_client_goes(home: Path) -> None:
    server = subprocess.Popen(
        [sys.executable, "-m", "ipfs_accel_cli", "serve-mcp"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ,
    )
    assert server.stdin is not None
    hello = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
    }
    server.stdin.write(json.dumps(hello).encode() + b"\n")
    server.stdin.flush()
    assert server.stdout is not None
    assert json.loads(server.stdout.readline())["result"]["serverInfo"]["name"] == "ipfs-accel"
    server.stdin.close()
    assert server.wait(timeout=20) == 0
