"""The tool surface as files: one for each tool, and the list. `UPDATE_SNAPSHOTS=1` writes them anew."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from ipfs_accel_cli import Node
from ipfs_accel_cli.app import app
from ipfs_accel_cli.surfaces.mcp.select import Selection
from ipfs_accel_cli.surfaces.mcp.server import build
from ipfs_accel_cli.surfaces.mcp.walk import commands

SNAPSHOTS = Path(__file__).parent / "tools"
LIST = "_list"
UPDATE = "UPDATE_SNAPSHOTS" in os.environ
OFFERED = [command.tool_name for command in commands(app) if command.effects.exposed]
pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def wire(node: Node, selection: Selection) -> dict[str, Any]:
    """Return the tools as they go over the wire, by name."""
    async with Client(build(node, selection)) as client:
        page = await client.list_tools()
        tools = list(page.tools)
        while page.next_cursor:
            page = await client.list_tools(cursor=page.next_cursor)
            tools += page.tools
    return {tool.name: tool.model_dump(by_alias=True, exclude_none=True, mode="json") for tool in tools}


def compared(name: str, value: Any) -> None:
    path = SNAPSHOTS / f"{name}.json"
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    if UPDATE:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert path.exists(), f"{path.name} is missing: run the test with UPDATE_SNAPSHOTS=1"
    assert text == path.read_text(), f"{path.name} differs: look at the change, then run with UPDATE_SNAPSHOTS=1"


@pytest.mark.parametrize("name", OFFERED)
async def test_a_tool_is_as_its_snapshot_says(node: Node, name: str) -> None:
    compared(name, (await wire(node, Selection(tools=(name,))))[name])


async def test_the_list_of_tools_is_as_its_snapshot_says(node: Node) -> None:
    everything, default = await wire(node, Selection(("all",))), await wire(node, Selection())
    assert list(everything) == OFFERED
    compared(
        LIST,
        {
            "all": {name: _hints(tool) for name, tool in everything.items()},
            "default": list(default),
        },
    )


def test_no_snapshot_is_left_of_a_tool_that_has_gone() -> None:
    stale = sorted(path.stem for path in SNAPSHOTS.glob("*.json") if path.stem not in {LIST, *OFFERED})
    if UPDATE:
        for name in stale:
            (SNAPSHOTS / f"{name}.json").unlink()
        return
    assert stale == []


def _hints(tool: dict[str, Any]) -> str:
    hints = tool["annotations"]
    effect = "reads" if hints["readOnlyHint"] else "deletes" if hints["destructiveHint"] else "writes"
    return ", ".join(
        [effect]
        + (["may be repeated"] if hints["idempotentHint"] else [])
        + (["uses the network"] if hints["openWorldHint"] else [])
    )
