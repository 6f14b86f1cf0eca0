"""Commands that show runs: how they stand, what came of them, and proof of it."""

from __future__ import annotations

from typing import Annotated, Literal

from typer import Argument, Option, Typer

from ipfs_accel_cli.commands.listing import Columns, Filter, Sort
from ipfs_accel_cli.core.effects import READ, WRITE, effects
from ipfs_accel_cli.core.listing import chosen
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.migrate.results import Report, Runs, Written

app = Typer()
RunName = Annotated[
    str, Argument(metavar="RUN", help="An id of `migrate history`, or four or more characters at its end.")
]


def mount(group: Typer) -> None:
    """Add these commands to the group."""
    group.registered_commands.extend(app.registered_commands)


@app.command()
@effects(READ)
def status(
    run: Annotated[str | None, Argument(metavar="RUN", help="One run; else all that have not ended.")] = None,
) -> Runs:
    """Show how runs stand; one that was interrupted goes on when its command is run again.

    Examples:
        ipfs-accel migrate status
        ipfs-accel migrate status 3f9a --json
    """
    return node().migrations.status(run)


@app.command()
@effects(READ)
def history(
    limit: Annotated[int, Option(min=1, help="Show only the newest.")] = 50,
    where: Filter = None,
    sort: Sort = None,
    columns: Columns = None,
) -> Runs:
    """List the runs of this home, the newest first.

    Examples:
        ipfs-accel migrate history
        ipfs-accel migrate history --filter "state=failed"
    """
    found = node().migrations.history(-1 if where is not None or sort is not None else limit)
    return chosen(found, where=where, sort=sort, columns=columns, limit=limit)


@app.command()
@effects(READ)
def report(run: RunName) -> Report:
    """Show what a run did: a receipt for every item, chained by their hashes, and what failed.

    Examples:
        ipfs-accel migrate report 3f9a
        ipfs-accel migrate report 3f9a --json
    """
    return node().migrations.report(run)


@app.command("write-report")
@effects(WRITE)
def write_report(
    run: RunName,
    output: Annotated[str, Option("--output", "-o", metavar="FILE", help="The file to write.")],
    form: Annotated[
        Literal["html", "markdown", "json"] | None,
        Option(help="html is one page with plots, which loads nothing; the file's ending says it otherwise."),
    ] = None,
) -> Written:
    """Write the report of a run into a file, to be read or kept.

    Examples:
        ipfs-accel migrate write-report 3f9a -o run.html
        ipfs-accel migrate write-report 3f9a -o run.md
        ipfs-accel migrate write-report 3f9a --form json -o run.log
    """
    return node().migrations.write_report(run, output, form)
