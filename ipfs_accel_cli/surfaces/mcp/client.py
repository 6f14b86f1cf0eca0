"""A client for any MCP server: what it offers, calls, resources and prompts."""

from __future__ import annotations

import difflib
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from mcp import Client
from mcp.shared.exceptions import MCPError

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import AccelError, Invalid, NotFound, RemoteFailed, error_kinds
from ipfs_accel_cli.services.mcp.results import (
    Called,
    Listing,
    PromptMessage,
    PromptRow,
    PromptText,
    Resource,
    ResourceRow,
    ToolRow,
)
from ipfs_accel_cli.surfaces.mcp.connect import ask_server
from ipfs_accel_cli.surfaces.mcp.tool import PROBLEM_KEY

# A server that never stops handing out cursors must not keep us for ever.
_MOST_PAGES = 1000


def listing(server: str) -> Listing:
    """Return what a server offers; `server` is a command line or a URL, empty for our own."""

    async def ask(client: Client) -> Listing:
        info, offers = client.server_info, client.server_capabilities
        tools = await _all(client.list_tools, "tools") if offers.tools else []
        resources = await _all(client.list_resources, "resources") if offers.resources else []
        templates = await _all(client.list_resource_templates, "resource_templates") if offers.resources else []
        prompts = await _all(client.list_prompts, "prompts") if offers.prompts else []
        return Listing(
            server=info.name if info else server,
            version=info.version if info else "",
            protocol=str(client.protocol_version),
            tools=[_tool_row(tool) for tool in tools],
            resources=[_resource_row(found, str(found.uri), template=False) for found in resources]
            + [_resource_row(found, found.uri_template, template=True) for found in templates],
            prompts=[_prompt_row(prompt) for prompt in prompts],
        )

    return ask_server(server, ask)


def call_tool(server: str, tool: str, pairs: Sequence[str], text: str) -> Called:
    """Call a tool with `name=value` arguments, or with one JSON object; its error becomes ours."""
    arguments = parse_arguments(pairs, text)

    async def ask(client: Client) -> Called:
        names = [found.name for found in await _all(client.list_tools, "tools")]
        if tool not in names:
            raise _unknown("tool", tool, names)
        answer = await client.call_tool(tool, arguments, progress_callback=_report)
        text = "\n".join(part.text for part in answer.content if part.type == "text")
        if answer.is_error:
            raise _problem((answer.meta or {}).get(PROBLEM_KEY), RemoteFailed, text)
        links = [str(part.uri) for part in answer.content if part.type == "resource_link"]
        return Called(tool=tool, structured=answer.structured_content, text=text, links=links)

    return ask_server(server, ask)


def read_resource(server: str, uri: str) -> Resource:
    """Return a resource's text; bytes come as base64."""

    async def ask(client: Client) -> Resource:
        try:
            (content,) = (await client.read_resource(uri)).contents
        except MCPError as error:
            raise NotFound(f"cannot read {uri}: {error}", suggestion="ipfs-accel mcp ls") from error
        text = content.text if hasattr(content, "text") else content.blob
        return Resource(uri=uri, media_type=content.mime_type, text=text)

    return ask_server(server, ask)


def get_prompt(server: str, name: str, pairs: Sequence[str]) -> PromptText:
    """Return a prompt written out with `name=value` arguments, whose values are text."""
    arguments = {key: value for key, _, value in map(_pair, pairs)}

    async def ask(client: Client) -> PromptText:
        names = [found.name for found in await _all(client.list_prompts, "prompts")]
        if name not in names:
            raise _unknown("prompt", name, names)
        try:
            answer = await client.get_prompt(name, arguments)
        except MCPError as error:
            raise _problem(error.error.data, Invalid, str(error)) from error
        return PromptText(
            prompt=name,
            description=answer.description or "",
            messages=[_message(message) for message in answer.messages],
        )

    return ask_server(server, ask)


def parse_arguments(pairs: Sequence[str], text: str) -> dict[str, Any]:
    """Read `name=value` words and a JSON object into one mapping; raises Invalid."""
    try:
        arguments = json.loads(text) if text else {}
    except json.JSONDecodeError as error:
        raise Invalid(f"--arguments is not JSON: {error}") from error
    if not isinstance(arguments, dict):
        raise Invalid("--arguments must be a JSON object")
    return arguments | {name: _value(value) for name, _, value in map(_pair, pairs)}


def _pair(word: str) -> tuple[str, str, str]:
    name, equals, value = word.partition("=")
    if not equals or not name:
        raise Invalid(f"{word!r} is not NAME=VALUE", suggestion="ipfs-accel mcp call --help")
    return name, equals, value


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


async def _all(listed: Callable[..., Awaitable[Any]], field: str) -> list[Any]:
    """Return every item of a list that comes in pages."""
    found: list[Any] = []
    cursor: str | None = None
    for _ in range(_MOST_PAGES):
        page = await listed(cursor=cursor)
        found += getattr(page, field)
        cursor = page.next_cursor
        if not cursor:
            return found
    raise RemoteFailed(f"the server's list of {field} does not end")


async def _report(progress: float, total: float | None, message: str | None) -> None:
    current().progress(progress, total, message or "")


def _unknown(kind: str, name: str, names: Sequence[str]) -> NotFound:
    near = difflib.get_close_matches(name, names, n=3) or list(names[:8])
    return NotFound(f"no {kind} named {name!r}; there are {', '.join(near) or 'none'}", suggestion="ipfs-accel mcp ls")


def _problem(problem: Any, otherwise: type[AccelError], text: str) -> AccelError:
    """Return the error that a server tells of, as our own class where the server is of our kind."""
    if not isinstance(problem, dict) or "code" not in problem:
        return otherwise(text)
    kind = error_kinds().get(str(problem["code"]), otherwise)
    error = kind(str(problem.get("detail", text)), suggestion=problem.get("suggestion"), errors=problem.get("errors"))
    error.context = dict(problem.get("context") or {})
    return error


def _tool_row(tool: Any) -> ToolRow:
    hints = tool.annotations
    effect = "unstated"
    if hints is not None and hints.read_only_hint is not None:
        effect = "read" if hints.read_only_hint else "delete" if hints.destructive_hint else "write"
    return ToolRow.model_validate(
        {
            "name": tool.name,
            "title": tool.title,
            "description": _first_line(tool.description),
            "effect": effect,
            "network": hints.open_world_hint if hints is not None else None,
            "input_schema": tool.input_schema,
            "output_schema": tool.output_schema,
        }
    )


def _resource_row(found: Any, uri: str, *, template: bool) -> ResourceRow:
    return ResourceRow(
        uri=uri, template=template, description=_first_line(found.description), media_type=found.mime_type
    )


def _prompt_row(prompt: Any) -> PromptRow:
    arguments = prompt.arguments or []
    return PromptRow(
        name=prompt.name,
        description=_first_line(prompt.description),
        required=[argument.name for argument in arguments if argument.required],
        optional=[argument.name for argument in arguments if not argument.required],
    )


def _message(message: Any) -> PromptMessage:
    content = message.content
    resource = getattr(content, "resource", None)
    holder = content if resource is None else resource
    text = next((getattr(holder, name) for name in ("text", "data", "blob") if hasattr(holder, name)), "")
    return PromptMessage(
        role=message.role, kind=content.type, uri=None if resource is None else str(resource.uri), text=text
    )


def _first_line(text: str | None) -> str:
    return (text or "").split("\n")[0]
