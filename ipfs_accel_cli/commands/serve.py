"""The command `serve-mcp`: the same commands, for an assistant."""

from __future__ import annotations

from pathlib import Path
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
    http: Annotated[bool, Option("--http", help="Serve over HTTP at /mcp instead, to many clients at once.")] = False,
    host: Annotated[
        str, Option(help="With --http, the address to listen at; one that others can reach needs a token.")
    ] = "127.0.0.1",
    port: Annotated[int, Option(min=0, max=65535, help="With --http, the port; 0 takes one that is free.")] = 8765,
    token_file: Annotated[
        Path | None,
        Option(help="With --http, a file that only you can read, with the token; else IPFS_ACCEL_MCP_TOKEN."),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        Option(help="With --http, a further name that clients call this machine by; repeat for more."),
    ] = None,
) -> None:
    """Serve the same commands to an assistant over MCP, on standard input and output or over HTTP.

    Examples:
        ipfs-accel serve-mcp
        ipfs-accel serve-mcp --toolsets model,infer --read-only
        ipfs-accel serve-mcp --allow-path ~/documents
        ipfs-accel serve-mcp --http --port 8765
        ipfs-accel serve-mcp --http --host 0.0.0.0 --token-file ~/.mcp-token
    """
    from ipfs_accel_cli.surfaces.mcp.server import Http, Selection, serve

    selection = Selection.parse(
        toolsets, tools, exclude_tools, read_only=read_only, disable_destructive=disable_destructive
    )
    listener = Http(host, port, token_file, tuple(allow_host or ())) if http else None
    serve(node(), selection, folders=allow_path or [], offline=current().offline, http=listener)
