"""A client for any MCP server that is started by a command and speaks over standard input and output."""

from __future__ import annotations

import difflib
import json
import os
import shlex
import shutil
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import AccelError, Invalid, NotFound, RemoteFailed, Unavailable, catalogue
from ipfs_accel_cli.core.paths import HOME_VARIABLE
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.mcp.results import Called, Listing, Resource, ResourceRow, ToolRow

T = TypeVar("T")


def listing(server: str) -> Listing:
    """Return what a server offers; `server` is a command line, empty for our own."""

    async def ask(client: Any) -> Listing:
        info = client.server_info
        tools = (await client.list_tools()).tools
        resources = (await client.list_resources()).resources
        templates = (await client.list_resource_templates()).resource_templates
        return Listing(
            server=info.name if info else server,
            version=info.version if info else "",
            protocol=str(client.protocol_version),
            tools=[_tool_row(tool) for tool in tools],
            resources=[_resource_row(found, str(found.uri), template=False) for found in resources]
            + [_resource_row(found, found.uri_template, template=True) for found in templates],
        )

    return _run(server, ask)


def call_tool(server: str, tool: str, pairs: Sequence[str], text: str) -> Called:
    """Call a tool with `name=value` arguments, or with one JSON object; its error becomes ours."""
    arguments = parse_arguments(pairs, text)

    async def ask(client: Any) -> Called:
        names = [found.name for found in (await client.list_tools()).tools]
        if tool not in names:
            near = difflib.get_close_matches(tool, names, n=3) or names[:8]
            raise NotFound(f"no tool named {tool!r}; there are {', '.join(near)}", suggestion="ipfs-accel mcp ls")
        answer = await client.call_tool(tool, arguments, progress_callback=_report)
        text = "\n".join(part.text for part in answer.content if part.type == "text")
        if answer.is_error:
            raise _problem(answer.meta, text)
        links = [str(part.uri) for part in answer.content if part.type == "resource_link"]
        return Called(tool=tool, structured=answer.structured_content, text=text, links=links)

    return _run(server, ask)


def read_resource(server: str, uri: str) -> Resource:
    """Return a resource's text; bytes come as base64."""
    from mcp.shared.exceptions import MCPError

    async def ask(client: Any) -> Resource:
        try:
            (content,) = (await client.read_resource(uri)).contents
        except MCPError as error:
            raise NotFound(f"cannot read {uri}: {error}", suggestion="ipfs-accel mcp ls") from error
        text = content.text if hasattr(content, "text") else content.blob
        return Resource(uri=uri, media_type=content.mime_type, text=text)

    return _run(server, ask)


def parse_arguments(pairs: Sequence[str], text: str) -> dict[str, Any]:
    """Read `name=value` words and a JSON object into one mapping; raises Invalid."""
    try:
        arguments = json.loads(text) if text else {}
    except json.JSONDecodeError as error:
        raise Invalid(f"--arguments is not JSON: {error}") from error
    if not isinstance(arguments, dict):
        raise Invalid("--arguments must be a JSON object")
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise Invalid(f"{pair!r} is not NAME=VALUE", suggestion="ipfs-accel mcp call --help")
        arguments[name] = _value(value)
    return arguments


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _run(server: str, ask: Callable[[Any], Awaitable[T]]) -> T:
    import anyio
    from mcp import Client
    from mcp.client.stdio import StdioServerParameters

    command = shlex.split(server) if server else _ourselves()
    if shutil.which(command[0]) is None:
        raise Unavailable(
            f"no program named {command[0]!r} to start the server with", suggestion="ipfs-accel mcp ls --help"
        )
    environment = os.environ | {HOME_VARIABLE: str(node().home.path)}
    parameters = StdioServerParameters(command=command[0], args=command[1:], env=environment)

    async def session() -> T:
        async with Client(parameters) as client:
            return await ask(client)

    try:
        return anyio.run(session)
    except BaseException as error:
        raise _unwrapped(error, command) from error


def _ourselves() -> list[str]:
    offline = ["--offline"] if current().offline else []
    return [sys.executable, "-m", "ipfs_accel_cli", "serve-mcp", "--toolsets", "all", *offline]


def _unwrapped(error: BaseException, command: Sequence[str]) -> BaseException:
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    if isinstance(error, AccelError | KeyboardInterrupt):
        return error
    return Unavailable(
        f"the server {shlex.join(command)!r} did not answer: {error}",
        suggestion="run that command to see what it prints",
    )


async def _report(done: float, total: float | None, message: str | None) -> None:
    current().progress(done, total, message or "")


def _problem(meta: Any, text: str) -> AccelError:
    """Return the error that a failed tool tells of, as our own class where the server is of our kind."""
    problem = (meta or {}).get("io.ipfs-accel/problem")
    if not isinstance(problem, dict):
        return RemoteFailed(text)
    kind = catalogue().get(str(problem.get("code")), RemoteFailed)
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
            "description": (tool.description or "").split("\n")[0],
            "effect": effect,
            "network": hints.open_world_hint if hints is not None else None,
            "input_schema": tool.input_schema,
            "output_schema": tool.output_schema,
        }
    )


def _resource_row(found: Any, uri: str, *, template: bool) -> ResourceRow:
    text = (found.description or "").split("\n")[0]
    return ResourceRow(uri=uri, template=template, description=text, media_type=found.mime_type)
