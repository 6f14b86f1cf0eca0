"""What the MCP server tells without being asked: changed resources, and log records."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.shared.subscriptions import ResourcesListChanged, ResourceUpdated
from mcp.types import (
    LOG_LEVEL_META_KEY,
    LoggingMessageNotificationParams,
    ResourceListChangedNotification,
    ResourceUpdatedNotification,
)

from ipfs_accel_cli import Node
from ipfs_accel_cli.surfaces.mcp.changes import events
from ipfs_accel_cli.surfaces.mcp.select import Selection
from ipfs_accel_cli.surfaces.mcp.server import build
from tests.servers.mcp_commands import server_of, tell
from tests.servers.tiny_model import lay_out, tiny_model

pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings("ignore::mcp.MCPDeprecationWarning")]
EVERYTHING = Selection(("all",))
ADDED = [ResourceUpdated("accel://models/small"), ResourceUpdated("accel://models")]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return lay_out(tmp_path / "small", tiny_model())


def test_the_events_of_a_change_name_what_changed() -> None:
    assert events({}, {"small": "1"}, "accel") == [ResourcesListChanged(), *ADDED]
    assert events({"small": "1"}, {"small": "2"}, "accel") == ADDED
    assert events({"small": "1", "other": "1"}, {"other": "1"}, "accel") == [ResourcesListChanged(), *ADDED]
    assert events({"small": "1"}, {"small": "1"}, "accel") == []


async def test_who_listens_hears_of_models_that_come_and_go(node: Node, model: Path) -> None:
    async with Client(build(node, EVERYTHING, folders=[str(model.parent)])) as client:
        uris = ["accel://models/small", "accel://models/best"]
        async with client.listen(resources_list_changed=True, resource_subscriptions=uris) as heard:
            assert not (await client.call_tool("model_add", {"path": str(model)})).is_error
            with anyio.fail_after(10):
                assert {await anext(heard), await anext(heard)} == {ResourcesListChanged(), ADDED[0]}
            assert not (await client.call_tool("model_tag", {"name": "small", "alias": "best"})).is_error
            with anyio.fail_after(10):
                told = {await anext(heard), await anext(heard), await anext(heard)}
            assert told == {ResourcesListChanged(), ADDED[0], ResourceUpdated("accel://models/best")}


@asynccontextmanager
async def of_the_handshake_era(server: Any) -> AsyncIterator[tuple[Client, list[str]]]:
    told: list[str] = []

    async def hear(message: Any) -> None:
        if isinstance(message, ResourceListChangedNotification):
            told.append("list")
        elif isinstance(message, ResourceUpdatedNotification):
            told.append(str(message.params.uri))

    async with Client(server, mode="legacy", message_handler=hear) as client:
        yield client, told


async def test_before_2026_who_subscribed_hears_of_a_model_and_everybody_of_the_list(node: Node, model: Path) -> None:
    server = build(node, EVERYTHING, folders=[str(model.parent)])
    async with of_the_handshake_era(server) as (one, told_one), of_the_handshake_era(server) as (_, told_other):
        assert one.server_capabilities.resources is not None
        assert one.server_capabilities.resources.subscribe
        assert one.server_capabilities.resources.list_changed
        await one.subscribe_resource("accel://models/small")
        await one.call_tool("model_add", {"path": str(model)})
        await until(lambda: len(told_one) == 2 and len(told_other) == 1)
        assert (told_one, told_other) == (["list", "accel://models/small"], ["list"])

        await one.unsubscribe_resource("accel://models/small")
        await one.call_tool("model_rm", {"names": ["small"]})
        await until(lambda: len(told_one) == 3)
        assert (told_one[2:], told_other) == (["list"], ["list", "list"])
    assert not server.state.changes.heard, "a client that has gone is still told"


async def test_a_command_that_fails_or_reads_changes_nothing_and_tells_nothing(node: Node, model: Path) -> None:
    async with of_the_handshake_era(build(node, EVERYTHING)) as (client, told):
        assert (await client.call_tool("model_add", {"path": str(model)})).is_error
        assert not (await client.call_tool("model_ls", {})).is_error
        await client.list_resources()
        assert told == []


async def until(true: Any) -> None:
    with anyio.fail_after(10):
        while not true():
            await anyio.sleep(0.01)


@pytest.mark.parametrize(
    ("level", "heard"),
    [
        ("debug", ["debug", "info", "warning", "error"]),
        ("warning", ["warning", "error"]),
        ("emergency", []),
        (None, ["info", "warning", "error"]),
    ],
)
async def test_a_client_of_the_handshake_era_sets_the_level_that_it_hears(
    node: Node, level: Any, heard: list[str]
) -> None:
    told: list[LoggingMessageNotificationParams] = []

    async def hear(record: LoggingMessageNotificationParams) -> None:
        told.append(record)

    async with Client(server_of(node, tell), mode="legacy", logging_callback=hear) as client:
        assert client.server_capabilities.logging is not None
        if level is not None:
            await client.set_logging_level(level)
        await client.call_tool("tell", {})
    assert [record.level for record in told] == heard
    assert {record.logger for record in told} <= {"ipfs_accel_cli.test"}
    assert [record.data for record in told] == [f"at {level}" for level in heard]


@pytest.mark.parametrize(("level", "heard"), [(None, []), ("info", ["info", "warning", "error"]), ("error", ["error"])])
async def test_since_2026_each_request_asks_for_its_own_level(node: Node, level: Any, heard: list[str]) -> None:
    told: list[str] = []

    async def hear(record: LoggingMessageNotificationParams) -> None:
        told.append(record.level)

    meta = {LOG_LEVEL_META_KEY: level} if level else None
    async with Client(server_of(node, tell), logging_callback=hear) as client:
        await client.call_tool("tell", {}, meta=meta)
    assert told == heard
