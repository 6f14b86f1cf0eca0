"""Pages of lists, prompts, templates and completions of the MCP server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp.types import INVALID_PARAMS, PromptReference, ResourceTemplateReference

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.errors import error_kinds
from ipfs_accel_cli.core.settings import KEYS
from ipfs_accel_cli.surfaces.mcp.complete import completed
from ipfs_accel_cli.surfaces.mcp.paging import PAGE_ITEMS, page
from ipfs_accel_cli.surfaces.mcp.select import Selection
from ipfs_accel_cli.surfaces.mcp.server import build
from tests.servers.tiny_model import lay_out, tiny_model

pytestmark = pytest.mark.anyio
EVERYTHING = Selection(("all",))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def two_models(node: Node, tmp_path: Path) -> None:
    for seed, name in enumerate(("small-one", "small-two")):
        node.models.add(lay_out(tmp_path / name, tiny_model(seed)), name)


@given(names=some.lists(some.text(max_size=8), unique=True, max_size=40), size=some.integers(1, 7))
def test_pages_put_together_are_the_list(names: list[str], size: int) -> None:
    items = [{"name": name} for name in names]
    found: list[dict[str, Any]] = []
    cursor, pages = None, 0
    while pages == 0 or cursor is not None:
        shown, cursor = page(items, "name", cursor, size)
        assert len(shown) <= size
        found += shown
        pages += 1
    assert found == items
    assert pages == max(1, -(-len(names) // size))


def test_what_is_added_between_two_pages_shifts_nothing() -> None:
    items = [{"name": name} for name in "bcde"]
    first, cursor = page(items, "name", None, 2)
    second, _ = page([{"name": "a"}, *items], "name", cursor, 2)
    assert first + second == items


@pytest.mark.parametrize("cursor", ["", "???", "bm8tc3VjaC1pdGVt", "ä", "YQ"])
def test_a_cursor_that_was_not_made_here_is_refused(cursor: str) -> None:
    with pytest.raises(MCPError, match="unknown cursor"):
        page([{"name": "a"}, {"name": "b"}], "name", cursor, 1)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_long_list_comes_in_pages_in_both_eras(node: Node, mode: str) -> None:
    server = build(node, EVERYTHING)
    for number in range(PAGE_ITEMS * 2):
        server.resource(f"test://{number}", name=str(number))(lambda: "")
    seen, cursor = [], None
    async with Client(server, mode=mode) as client:
        for expected in (PAGE_ITEMS, PAGE_ITEMS, None):
            answer = await client.list_resources(cursor=cursor)
            seen += [str(found.uri) for found in answer.resources]
            cursor = answer.next_cursor
            assert expected is None or len(answer.resources) == expected
        assert cursor is None
        assert len(set(seen)) == len(seen) > PAGE_ITEMS * 2
        with pytest.raises(MCPError) as caught:
            await client.list_resources(cursor="no-such")
        assert caught.value.code == INVALID_PARAMS
        assert (await client.list_tools()).next_cursor is None


async def test_prompts_say_what_they_are_and_what_they_need(node: Node) -> None:
    async with Client(build(node, EVERYTHING)) as client:
        prompts = {prompt.name: prompt for prompt in (await client.list_prompts()).prompts}
    assert set(prompts) == {"choose_model", "diagnose_machine", "compare_models"}
    for prompt in prompts.values():
        assert prompt.title
        assert prompt.description
        assert all(argument.description for argument in prompt.arguments or [])
    needed = {argument.name for argument in prompts["compare_models"].arguments or [] if argument.required}
    assert needed == {"first", "second"}


async def test_a_prompt_is_offered_only_with_the_tools_that_it_names(node: Node) -> None:
    async with Client(build(node, Selection(("config",)))) as client:
        assert (await client.list_prompts()).prompts == []
    async with Client(build(node, Selection(("model",)))) as client:
        assert [prompt.name for prompt in (await client.list_prompts()).prompts] == ["compare_models"]


@pytest.mark.usefixtures("two_models")
async def test_every_prompt_brings_what_the_machine_knows(node: Node) -> None:
    asked = {
        "choose_model": ({"task": "embed", "purpose": "search in German"}, {"accel://hardware", "accel://models"}),
        "diagnose_machine": (
            {"code": "does-not-fit"},
            {"accel://errors/does-not-fit", "accel://doctor", "accel://hardware"},
        ),
        "compare_models": (
            {"first": "small-one", "second": "small-two"},
            {"accel://models/small-one", "accel://models/small-two"},
        ),
    }
    async with Client(build(node, EVERYTHING)) as client:
        for name, (arguments, uris) in asked.items():
            messages = (await client.get_prompt(name, arguments)).messages
            assert all(word in messages[0].content.text for word in arguments.values())
            attached = {str(message.content.resource.uri): message.content.resource for message in messages[1:]}
            assert set(attached) == uris
            for uri, resource in attached.items():
                read = (await client.read_resource(uri)).contents[0]
                assert set(json.loads(resource.text)) == set(json.loads(read.text))


@pytest.mark.parametrize(
    ("name", "arguments", "told", "code"),
    [
        ("no_such_prompt", {}, "Unknown prompt", None),
        ("choose_model", {}, "task", None),
        ("compare_models", {"first": "nothing", "second": "else"}, "no model named 'nothing'", "not-found"),
        ("diagnose_machine", {"code": "not-fond"}, "not-found", "not-found"),
    ],
)
@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_what_is_wrong_with_a_prompt_is_the_clients_error(
    node: Node, mode: str, name: str, arguments: dict[str, str], told: str, code: str | None
) -> None:
    async with Client(build(node, EVERYTHING), mode=mode) as client:
        with pytest.raises(MCPError, match=told) as caught:
            await client.get_prompt(name, arguments)
    assert caught.value.code == INVALID_PARAMS
    assert (caught.value.error.data or {}).get("code") == code


@pytest.mark.usefixtures("two_models")
async def test_registered_models_are_listed_and_can_be_read(node: Node) -> None:
    async with Client(build(node, EVERYTHING)) as client:
        listed = {str(found.uri) for found in (await client.list_resources()).resources}
        assert {"accel://models/small-one", "accel://models/small-two"} <= listed
        for uri in listed:
            assert json.loads((await client.read_resource(uri)).contents[0].text)


@pytest.mark.usefixtures("two_models")
async def test_models_are_hidden_from_clients_that_may_not_read_them(node: Node) -> None:
    async with Client(build(node, Selection(("hw",)))) as client:
        assert not [found for found in (await client.list_resources()).resources if "models" in str(found.uri)]
        with pytest.raises(MCPError):
            await client.read_resource("accel://models/small-one")
        reference = ResourceTemplateReference(type="ref/resource", uri="accel://models/{name}")
        assert (await client.complete(reference, {"name": "name", "value": ""})).completion.values == []


async def test_machines_are_a_resource_as_the_command_shows_them(node: Node) -> None:
    node.machines.save("mine")
    async with Client(build(node, EVERYTHING)) as client:
        listed = {str(found.uri) for found in (await client.list_resources()).resources}
        assert {"accel://hardware", "accel://hardware/machines"} <= listed
        read = json.loads((await client.read_resource("accel://hardware/machines")).contents[0].text)
        called = await client.call_tool("hw_machine_ls", {})
        assert read == called.structured_content
        assert {"mine", "8xh100"} <= {row["name"] for row in read["machines"]}
        mine = json.loads((await client.read_resource("accel://hardware/machines/mine")).contents[0].text)
        assert mine["machine"]["memory"]["total_bytes"]


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("hw_machine_save", {"name": "stolen", "file": "FILE"}),
        ("hw_require", {"cores": 1, "machine": "FILE"}),
        ("hw_fit", {"model": "small-one", "machine": "FILE"}),
    ],
)
async def test_a_machine_in_a_file_outside_of_the_allowed_folders_is_refused(
    node: Node, tmp_path: Path, tool: str, arguments: dict[str, Any]
) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "outside.json").write_text(node.machines.find("l4").model_dump_json())
    given = {name: value if value != "FILE" else str(tmp_path / "outside.json") for name, value in arguments.items()}
    async with Client(build(node, EVERYTHING, folders=[str(tmp_path / "inside")])) as client:
        answer = await client.call_tool(tool, given)
    assert answer.is_error
    assert "outside the folders" in answer.content[0].text
    assert node.machines.names(own=True) == []


async def test_machines_are_hidden_from_clients_that_may_not_read_hardware(node: Node) -> None:
    async with Client(build(node, Selection(("model",)))) as client:
        for uri in ("accel://hardware/machines", "accel://hardware/machines/8xh100"):
            with pytest.raises(MCPError):
                await client.read_resource(uri)
        reference = ResourceTemplateReference(type="ref/resource", uri="accel://hardware/machines/{name}")
        assert (await client.complete(reference, {"name": "name", "value": ""})).completion.values == []


async def test_each_template_answers(node: Node) -> None:
    async with Client(build(node, EVERYTHING)) as client:
        templates = {found.uri_template for found in (await client.list_resource_templates()).resource_templates}
        assert templates == {
            "accel://config/{name}",
            "accel://hardware/machines/{name}",
            "accel://models/{name}",
            "accel://errors/{code}",
            "accel://results/{key}",
        }
        setting = json.loads((await client.read_resource("accel://config/infer.threads")).contents[0].text)
        assert (setting["name"], setting["value"], setting["origin"]) == ("infer.threads", 0, "default")
        machine = json.loads((await client.read_resource("accel://hardware/machines/8xh100")).contents[0].text)
        assert (machine["name"], len(machine["machine"]["accelerators"]), bool(machine["sources"])) == (
            "8xh100",
            8,
            True,
        )
        error = json.loads((await client.read_resource("accel://errors/not-found")).contents[0].text)
        assert error["exit_code"] == 3
        for uri in ("accel://config/infer.thread", "accel://errors/nothing", "accel://hardware/machines/8xh10"):
            with pytest.raises(MCPError):
                await client.read_resource(uri)


def of_prompt(name: str) -> PromptReference:
    return PromptReference(type="ref/prompt", name=name)


def of_template(uri: str) -> ResourceTemplateReference:
    return ResourceTemplateReference(type="ref/resource", uri=uri)


@pytest.mark.usefixtures("two_models")
@pytest.mark.parametrize(
    ("reference", "argument", "typed", "values"),
    [
        (of_prompt("choose_model"), "task", "embe", ["embed", "image-embed", "pair-embed"]),
        (of_prompt("choose_model"), "purpose", "", []),
        (of_prompt("diagnose_machine"), "code", "disk", ["disk-full"]),
        (of_prompt("compare_models"), "first", "small", ["small-one", "small-two"]),
        (of_template("accel://models/{name}"), "name", "TWO", ["small-two"]),
        (of_template("accel://hardware/machines/{name}"), "name", "m4", ["macbook-m4-16gb", "macbook-m4-max-64gb"]),
        (of_template("accel://config/{name}"), "name", "", sorted(KEYS)),
        (of_template("accel://errors/{code}"), "code", "", sorted(error_kinds())),
        (of_template("accel://results/{key}"), "key", "", []),
        (of_prompt("no_such_prompt"), "x", "", []),
    ],
)
async def test_arguments_are_completed(
    node: Node, reference: Any, argument: str, typed: str, values: list[str]
) -> None:
    async with Client(build(node, EVERYTHING)) as client:
        answer = await client.complete(reference, {"name": argument, "value": typed})
    assert answer.completion.values == values
    assert answer.completion.total == len(values)


@pytest.mark.usefixtures("two_models")
async def test_the_other_models_name_is_not_offered_again(node: Node) -> None:
    async with Client(build(node, EVERYTHING)) as client:
        chosen = {"first": "small-one"}
        answer = await client.complete(of_prompt("compare_models"), {"name": "second", "value": ""}, chosen)
    assert answer.completion.values == ["small-two"]


def test_no_more_than_a_hundred_values_are_given() -> None:
    answer = completed([f"name-{number:03}" for number in range(150)], "name")
    assert (len(answer.values), answer.total, answer.has_more) == (100, 150, True)
