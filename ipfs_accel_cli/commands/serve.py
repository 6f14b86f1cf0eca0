"""The command `serve-mcp`: the same commands, for an assistant."""

from __future__ import annotations

from typing import Annotated

from typer import Option, Typer

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.effects import READ, effects
from ipfs_accel_cli.node import node

app = Typer(help="Serve the same commands to an assistant over MCP.")


@app.command("serve-mcp")
@effects(READ, exposed=False)
def serve_mcp(
    toolsets: Annotated[
        str,
        Option(help="Command groups to offer, separated by commas; `default` is a chosen few, `all` is everything."),
    ] = "default",
    tools: Annotated[str, Option(help="Offer only these tools, separated by commas, from any group.")] = "",
    exclude_tools: Annotated[str, Option(help="Leave these tools out, separated by commas.")] = "",
    read_only: Annotated[bool, Option("--read-only", help="Offer only tools that change nothing.")] = False,
    disable_destructive: Annotated[bool, Option("--disable-destructive", help="Offer no tool that deletes.")] = False,
    allow_path: Annotated[
        list[str] | None,
        Option(help="A folder that the assistant may name files in; repeat for more. None by default."),
    ] = None,
) -> None:
    """Serve the same commands to an assistant over MCP, on standard input and output.

    Examples:
        ipfs-accel serve-mcp
        ipfs-accel serve-mcp --toolsets model,infer --read-only
        ipfs-accel serve-mcp --allow-path ~/documents
    """
    from ipfs_accel_cli.surfaces.mcp.select import Selection
    from ipfs_accel_cli.surfaces.mcp.server import serve

    selection = Selection.parse(
        toolsets, tools, exclude_tools, read_only=read_only, disable_destructive=disable_destructive
    )
    serve(node(), selection, folders=allow_path or [], offline=current().offline)
