"""What the reflected MCP server offers and how it answers, over the in-memory transport."""

from __future__ import annotations

import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import jsonschema
import pytest
from mcp import Client

from ipfs_accel_cli import Node
from ipfs_accel_cli.app import app
from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.surfaces.mcp.select import Selection
from ipfs_accel_cli.surfaces.mcp.server import build
from ipfs_accel_cli.surfaces.mcp.tool import PROBLEM_KEY
from ipfs_accel_cli.surfaces.mcp.walk import commands

pytestmark = pytest.mark.anyio
EVERYTHING = Selection(("all",))
DEFAULT_TOOLS, DEFAULT_BYTES = 25, 32 * 1024


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@asynccontextmanager
async def served(node: Node, selection: Selection = EVERYTHING, **options: Any) -> AsyncIterator[Client]:
    async with Client(build(node, selection, **options)) as client:
        yield client


def problem(answer: Any) -> dict[str, Any]:
    """Return the problem of a failed call, after checking that it rides where clients look and nowhere else."""
    assert answer.is_error
    assert answer.structured_content is None
    told: dict[str, Any] = json.loads(answer.content[0].text)
    assert answer.meta[PROBLEM_KEY] == told
    return told


async def test_the_default_toolset_is_small(node: Node) -> None:
    async with served(node, Selection()) as client:
        tools = (await client.list_tools()).tools
    wire = json.dumps([tool.model_dump(by_alias=True, exclude_none=True, mode="json") for tool in tools])
    assert 10 <= len(tools) <= DEFAULT_TOOLS
    assert len(wire.encode()) <= DEFAULT_BYTES


async def test_every_tool_states_all_four_hints_and_both_schemas(node: Node) -> None:
    async with served(node) as client:
        tools = (await client.list_tools()).tools
    for tool in tools:
        hints = tool.annotations
        assert hints is not None
        stated = (hints.read_only_hint, hints.destructive_hint, hints.idempotent_hint, hints.open_world_hint)
        assert None not in stated, tool.name
        assert not (hints.read_only_hint and hints.destructive_hint), tool.name
        assert tool.description
        assert tool.output_schema is not None
        for schema in (tool.input_schema, tool.output_schema):
            jsonschema.Draft202012Validator.check_schema(schema)
            assert schema["type"] == "object", tool.name


async def test_read_only_wins_over_every_name(node: Node) -> None:
    async with served(node, Selection(("all",), ("store_rm", "store_stat", "store_put"), read_only=True)) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == ["store_stat"]


async def test_nothing_that_deletes_is_offered_when_disabled(node: Node) -> None:
    async with served(node, Selection(("all",), disable_destructive=True)) as client:
        tools = (await client.list_tools()).tools
    assert "store_put" in {tool.name for tool in tools}
    assert not any(tool.annotations.destructive_hint for tool in tools if tool.annotations)


async def test_tools_are_chosen_by_group_and_left_out_by_name(node: Node) -> None:
    async with served(node, Selection(("config", "hw"), exclude_tools=("config_path",))) as client:
        hardware = {
            command.tool_name for command in commands(app) if command.path[0] == "hw" and command.effects.exposed
        }
        assert {"hw_info", "hw_machine_ls"} <= hardware
        assert {tool.name for tool in (await client.list_tools()).tools} == {"config_show", "config_get"} | hardware


@pytest.mark.parametrize(
    "selection", [Selection(("modle",)), Selection(tools=("hw_inof",)), Selection(exclude_tools=("x",))]
)
def test_an_unknown_toolset_or_tool_is_refused(node: Node, selection: Selection) -> None:
    with pytest.raises(Invalid, match=r"no (toolset|tool) named"):
        build(node, selection)


async def test_an_answer_matches_its_schema_and_is_the_text_too(node: Node) -> None:
    async with served(node) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        answer = await client.call_tool("hw_info", {})
    jsonschema.validate(answer.structured_content, tools["hw_info"].output_schema)
    assert json.loads(answer.content[0].text) == answer.structured_content


@pytest.mark.parametrize(
    ("arguments", "pointer"),
    [
        ({"nmae": "infer.threads"}, "#/nmae"),
        ({}, "#/name"),
        ({"name": ["a", "list"]}, "#/name"),
        ({"name": None}, "#/name"),
    ],
)
async def test_wrong_arguments_are_pointed_at(node: Node, arguments: dict[str, Any], pointer: str) -> None:
    async with served(node) as client:
        told = problem(await client.call_tool("config_get", arguments))
    assert told["code"] == "invalid-input"
    assert pointer in {part["pointer"] for part in told["errors"]}


async def test_a_failure_is_the_problem_object_and_the_next_call_works(node: Node) -> None:
    async with served(node) as client:
        told = problem(await client.call_tool("model_show", {"name": "nothing-of-the-kind"}))
        assert (told["code"], told["status"]) == ("not-found", 404)
        assert not (await client.call_tool("config_path", {})).is_error


async def test_an_assistant_may_name_files_in_allowed_folders_only(node: Node, tmp_path: Path) -> None:
    inside, outside = tmp_path / "open", tmp_path / "closed"
    for folder in (inside, outside):
        folder.mkdir()
        (folder / "file").write_text("hello world")
    async with served(node, folders=[str(inside)]) as client:
        answer = await client.call_tool("store_put", {"paths": [str(inside / "file")]})
        assert not answer.is_error, answer.content
        for path in (outside / "file", inside / ".." / "closed" / "file", Path("/etc/hostname")):
            assert problem(await client.call_tool("store_put", {"paths": [str(path)]}))["code"] == "not-authorised"
    async with served(node) as client:
        told = problem(await client.call_tool("store_put", {"paths": [str(inside / "file")]}))
        assert told["code"] == "not-authorised"
        assert "--allow-path" in told["suggestion"]


async def test_a_long_answer_is_cut_and_the_whole_is_a_resource(node: Node, tmp_path: Path) -> None:
    (tmp_path / "long").write_text("0123456789" * 9000)
    async with served(node, folders=[str(tmp_path)]) as client:
        put = await client.call_tool("store_put", {"paths": [str(tmp_path / "long")]})
        cid = put.structured_content["items"][0]["cid"]
        answer = await client.call_tool("store_cat", {"reference": cid})
        text, link = answer.content
        assert len(text.text) < 26_000
        assert "cut at" in text.text
        whole = await client.read_resource(link.uri)
    assert json.loads(whole.contents[0].text) == answer.structured_content
    assert answer.structured_content["data"] == "0123456789" * 9000


async def test_progress_is_told_and_always_grows(node: Node, tmp_path: Path) -> None:
    sparse(tmp_path / "big", 1 << 29)
    seen: list[float] = []

    async def hear(done: float, total: float | None, message: str | None) -> None:
        seen.append(done)

    async with served(node, folders=[str(tmp_path)]) as client:
        answer = await client.call_tool("store_cid_of", {"paths": [str(tmp_path / "big")]}, progress_callback=hear)
    assert not answer.is_error
    assert seen
    assert seen == sorted(set(seen))


async def test_cancelling_stops_the_work_and_leaves_nothing(node: Node, tmp_path: Path) -> None:
    sparse(tmp_path / "huge", 1 << 36)
    async with served(node, folders=[str(tmp_path)]) as client:
        with anyio.move_on_after(0.7):
            await client.call_tool("store_cid_of", {"paths": [str(tmp_path / "huge")]})
        await anyio.sleep(0.3)
        before = time.process_time()
        await anyio.sleep(0.5)
        idle = time.process_time() - before
        assert idle < 0.25, "the worker threads still hash"
        assert not (await client.call_tool("config_path", {})).is_error


@pytest.mark.parametrize("name", ["version", "system", "config", "hardware"])
async def test_resources_can_be_read(node: Node, name: str) -> None:
    async with served(node) as client:
        listed = {str(found.uri) for found in (await client.list_resources()).resources}
        assert f"accel://{name}" in listed
        content = (await client.read_resource(f"accel://{name}")).contents[0]
    assert content.mime_type == "application/json"
    assert isinstance(json.loads(content.text), dict)


async def test_what_is_not_there_cannot_be_read(node: Node) -> None:
    from mcp.shared.exceptions import MCPError

    async with served(node) as client:
        for uri in ("accel://models/none", "accel://results/none", "accel://nonsense"):
            with pytest.raises(MCPError):
                await client.read_resource(uri)


def sparse(path: Path, size: int) -> None:
    with path.open("wb") as file:
        os.truncate(file.fileno(), size)
