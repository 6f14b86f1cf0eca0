"""The MCP server: reflected tools and a few resources, over standard input and output."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from mcp.server import MCPServer

from ipfs_accel_cli import __version__
from ipfs_accel_cli.core.call import Principal
from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.node import Node
from ipfs_accel_cli.surfaces.mcp.resources import add_resources
from ipfs_accel_cli.surfaces.mcp.select import Selection
from ipfs_accel_cli.surfaces.mcp.session import ServerState
from ipfs_accel_cli.surfaces.mcp.tool import CommandTool
from ipfs_accel_cli.surfaces.mcp.walk import Found, commands

INSTRUCTIONS = (
    "Models by content address: fetch, verify, run. Start with hw_info, then model_ls; model_pull fetches a model and "
    "infer_embed or infer_generate runs it. An error names the next command in shell words: the tool of "
    "`ipfs-accel model pull` is model_pull."
)


def build(
    node: Node, selection: Selection | None = None, *, folders: Sequence[str] = (), offline: bool = False
) -> MCPServer:
    """Return a server for one node that offers the selected commands.

    Its client may do what the selected tools need and nothing else, and may name files in `folders` only.
    """
    from ipfs_accel_cli.app import app

    chosen = (selection or Selection()).choose(commands(app))
    state = ServerState(node, _assistant(chosen), _existing(folders), offline)
    server: MCPServer = MCPServer(
        "ipfs-accel",
        title="ipfs-accel",
        version=__version__,
        instructions=INSTRUCTIONS,
        tools=[CommandTool.of(command, state) for command in chosen],
        log_level="WARNING",
    )
    add_resources(server, state)
    return server


def serve(node: Node, selection: Selection, *, folders: Sequence[str] = (), offline: bool = False) -> None:
    """Serve over standard input and output until the client closes it."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    build(node, selection, folders=folders, offline=offline).run("stdio")


def _assistant(chosen: Sequence[Found]) -> Principal:
    from ipfs_accel_cli.core.effects import group_of

    permissions = frozenset(f"{group_of(command.function)}:{command.effects.effect}" for command in chosen)
    return Principal("assistant", "mcp", permissions)


def _existing(folders: Sequence[str]) -> tuple[Path, ...]:
    paths = tuple(Path(folder).expanduser().resolve() for folder in folders)
    for path in paths:
        if not path.is_dir():
            raise Invalid(f"--allow-path {path} is not a folder")
    return paths
