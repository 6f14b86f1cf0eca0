"""The MCP Inspector's command line, a client in another language, on our server over both transports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.servers.mcp_http import OURS, serving
from tests.servers.npm import installed, node_binary

pytestmark = pytest.mark.slow
VERSION = "2.12.0"
TOKEN = "an-inspector-token-for-tests"
Inspect = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module", params=["stdio", "http", "http with token"])
def inspect(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inspect]:
    """Run one method of the Inspector on our server, all tools offered."""
    folder = tmp_path_factory.mktemp("inspector")
    package = installed({"@modelcontextprotocol/inspector": VERSION}) / "@modelcontextprotocol/inspector"
    command = [str(node_binary()), str(package / "clients" / "launcher" / "build" / "index.js"), "--cli"]

    def run(target: list[str]) -> Inspect:
        def once(method: str, *options: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [*command, *target, "--method", method, *options],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                env=os.environ | {"HOME": str(folder)},
                text=True,
                timeout=120,
            )

        return once

    if request.param == "stdio":
        # The Inspector would take the server's options for its own.
        script = folder / "server"
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ipfs_accel_cli serve-mcp --toolsets all\n')
        script.chmod(0o755)
        yield run([str(script)])
    elif request.param == "http":
        with serving((*OURS, "--toolsets", "all")) as server:
            yield run([server.url])
    else:
        with serving((*OURS, "--toolsets", "all"), IPFS_ACCEL_MCP_TOKEN=TOKEN) as server:
            yield run([server.url, "--header", f"Authorization: Bearer {TOKEN}"])


def answered(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_every_tool_schema_is_portable(inspect: Inspect) -> None:
    tools = answered(inspect("tools/list", "--strict"))["tools"]
    assert {"hw_info", "model_pull", "infer_embed", "store_put"} <= {tool["name"] for tool in tools}


def test_a_tool_answers_with_structured_content_that_fits_its_schema(inspect: Inspect) -> None:
    answer = answered(inspect("tools/call", "--tool-name", "config_get", "--tool-arg", "name=infer.threads"))
    assert answer["structuredContent"]["value"] == 0


def test_a_failing_tool_is_a_tool_error_and_no_broken_protocol(inspect: Inspect) -> None:
    done = inspect("tools/call", "--tool-name", "model_show", "--tool-arg", "name=nothing")
    assert done.returncode == 5
    assert json.loads(json.loads(done.stdout)["content"][0]["text"])["code"] == "not-found"


def test_resources_templates_prompts_and_levels_answer(inspect: Inspect) -> None:
    uris = {found["uri"] for found in answered(inspect("resources/list"))["resources"]}
    assert {"accel://version", "accel://hardware", "accel://models"} <= uris
    templates = answered(inspect("resources/templates/list"))["resourceTemplates"]
    assert "accel://models/{name}" in {found["uriTemplate"] for found in templates}
    version = answered(inspect("resources/read", "--uri", "accel://version"))["contents"][0]
    assert json.loads(version["text"])["version"]
    assert len(answered(inspect("prompts/list"))["prompts"]) == 3
    prompt = answered(inspect("prompts/get", "--prompt-name", "choose_model", "--prompt-args", "task=embed"))
    assert prompt["messages"][1]["content"]["type"] == "resource"
    assert answered(inspect("logging/setLevel", "--log-level", "debug")) == {}
    assert inspect("resources/read", "--uri", "accel://nothing").returncode == 1
