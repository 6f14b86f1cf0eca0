"""What happens on this node, as it happens."""

from __future__ import annotations

from typing import Annotated

from typer import Option, Typer

from ipfs_accel_cli.core.effects import READ, effects
from ipfs_accel_cli.core.stream import Told
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.monitor.results import EventRow

app = Typer(help="What happens on this node.", no_args_is_help=True)


@app.command()
@effects(READ)
def events(
    follow: Annotated[bool, Option("--follow", "-f", help="Go on with what happens from now on.")] = False,
    since: Annotated[
        int | None,
        Option(
            min=0, metavar="N", help="What came after this sequence number; else the newest, or with --follow none."
        ),
    ] = None,
    topic: Annotated[
        list[str] | None, Option(help="Only of this topic, such as job or store; may be given again.")
    ] = None,
    limit: Annotated[int | None, Option(min=1, help="End after so many; 100 unless --follow.")] = None,
) -> Told[EventRow]:
    """Show what changed, in the order in which it became true; no number is ever missed or given twice.

    A program that keeps the last number it saw goes on after it with --since. Events that were forgotten meanwhile
    end it with status 10: then read the state itself, and go on from the newest number.

    Examples:
        ipfs-accel monitor events
        ipfs-accel monitor events --topic job --follow
        ipfs-accel monitor events --since 1200 --limit 500 --json
    """
    return Told(node().events.told(since=since, topics=topic or [], follow=follow, limit=limit))
