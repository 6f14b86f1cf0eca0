"""The MCP server: tools reflected from the commands, resources, prompts and completions, for any transport."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio.to_thread
from mcp.server import MCPServer
from mcp.server import Server as LowLevelServer
from mcp.server.mcpserver import Context
from mcp.shared.exceptions import MCPError
from mcp.types import (
    INVALID_PARAMS,
    CompleteRequestParams,
    GetPromptResult,
    InputRequiredResult,
    Resource,
    SetLevelRequestParams,
    SubscribeRequestParams,
    UnsubscribeRequestParams,
)

from ipfs_accel_cli import __version__
from ipfs_accel_cli.core.call import Principal
from ipfs_accel_cli.core.effects import group_of
from ipfs_accel_cli.core.errors import Invalid, classified
from ipfs_accel_cli.node import Node
from ipfs_accel_cli.surfaces.mcp.complete import Completer
from ipfs_accel_cli.surfaces.mcp.logs import forward_logs, on_set_level
from ipfs_accel_cli.surfaces.mcp.paging import paged
from ipfs_accel_cli.surfaces.mcp.prompts import add_prompts
from ipfs_accel_cli.surfaces.mcp.resources import add_resources, listed_models
from ipfs_accel_cli.surfaces.mcp.select import Selection as Selection
from ipfs_accel_cli.surfaces.mcp.session import ServerState
from ipfs_accel_cli.surfaces.mcp.tool import CommandTool
from ipfs_accel_cli.surfaces.mcp.walk import Found, commands

INSTRUCTIONS = (
    "Models by content address: fetch, verify, run. Start with hw_info, then model_ls; model_pull fetches a model and "
    "infer_embed or infer_generate runs it. An error names the next command in shell words: the tool of "
    "`ipfs-accel model pull` is model_pull."
)


class Server(MCPServer[Any]):
    """A server for one node; `state` is what its tools share."""

    def __init__(self, state: ServerState, tools: Sequence[CommandTool]) -> None:
        super().__init__(
            "ipfs-accel",
            title="ipfs-accel",
            version=__version__,
            instructions=INSTRUCTIONS,
            tools=list(tools),
            log_level="WARNING",
            subscriptions=state.changes,
            middleware=[paged, state.changes.middleware],
        )
        self.state = state
        serve = self.lowlevel.add_request_handler
        serve("completion/complete", CompleteRequestParams, Completer(state).on_complete)
        # The SDK serves these three methods of the handshake era at its lower level only.
        serve("logging/setLevel", SetLevelRequestParams, on_set_level)
        serve("resources/subscribe", SubscribeRequestParams, state.changes.on_subscribe)
        serve("resources/unsubscribe", UnsubscribeRequestParams, state.changes.on_unsubscribe)

    @property
    def lowlevel(self) -> LowLevelServer[Any]:
        """The SDK's server below this one, which transports drive."""
        return self._lowlevel_server

    async def list_resources(self) -> list[Resource]:
        """List the fixed resources, and each registered model."""
        return await super().list_resources() + await anyio.to_thread.run_sync(listed_models, self.state)

    async def get_prompt(
        self, name: str, arguments: dict[str, Any] | None = None, context: Context[Any, Any] | None = None
    ) -> GetPromptResult | InputRequiredResult:
        """Write a prompt out; what is wrong with its name or arguments is the client's error, not ours."""
        try:
            return await super().get_prompt(name, arguments, context)
        except ValueError as error:
            raise _as_parameters(error) from error


@dataclass(frozen=True, slots=True)
class Http:
    """Where to serve over HTTP, and to whom: the token's file, and further names that clients call the host by."""

    host: str = "127.0.0.1"
    port: int = 8765
    token_file: Path | None = None
    names: tuple[str, ...] = ()


def build(
    node: Node, selection: Selection | None = None, *, folders: Sequence[str] = (), offline: bool = False
) -> Server:
    """Return a server for one node that offers the selected commands.

    Its clients may do what the selected tools need and nothing else, and may name files in `folders` only. Raises
    Invalid for a tool, toolset or folder that does not exist.
    """
    from ipfs_accel_cli.app import app

    chosen = (selection or Selection()).choose(commands(app))
    state = ServerState(node, _assistant(chosen), _existing(folders), offline)
    server = Server(state, [CommandTool.of(command, state) for command in chosen])
    add_resources(server, state)
    add_prompts(server, state, [command.tool_name for command in chosen])
    forward_logs()
    return server


def serve(
    node: Node,
    selection: Selection,
    *,
    folders: Sequence[str] = (),
    offline: bool = False,
    http: Http | None = None,
) -> None:
    """Serve until the client closes standard input, or with `http` until a signal ends it.

    Raises what `build` does, and with `http` what `serve_http` does.
    """
    log_to_stderr()
    server = build(node, selection, folders=folders, offline=offline)
    if http is None:
        server.run("stdio")
        return
    from ipfs_accel_cli.surfaces.mcp.listen import serve_http

    serve_http(server, http)


def log_to_stderr() -> None:
    """Send what libraries log to standard error, plainly; the SDK would draw tables there."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")


def _as_parameters(error: BaseException) -> MCPError:
    known, cause = None, error
    while known is None and cause.__cause__ is not None:
        cause = cause.__cause__
        known = classified(cause)
    if known is None:
        return MCPError(code=INVALID_PARAMS, message=str(error))
    return MCPError(code=INVALID_PARAMS, message=known.detail, data=known.problem())


def _assistant(chosen: Sequence[Found]) -> Principal:
    permissions = frozenset(f"{group_of(command.function)}:{command.effects.effect}" for command in chosen)
    return Principal("assistant", "mcp", permissions)


def _existing(folders: Sequence[str]) -> tuple[Path, ...]:
    paths = tuple(Path(folder).expanduser().resolve() for folder in folders)
    for path in paths:
        if not path.is_dir():
            raise Invalid(f"--allow-path {path} is not a folder")
    return paths
