"""Commands that say where content would go, and where it went."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.core.effects import READ, WRITE, effects
from ipfs_accel_cli.core.stream import Stream
from ipfs_accel_cli.core.units import parse_bytes
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.store.placement.results import Decided, Route
from ipfs_accel_cli.services.store.placement.service import Wish
from ipfs_accel_cli.services.store.placement.wants import StorageClass, Strategy

app = Typer(help="Choose the backends that suit some content, and see why.", no_args_is_help=True)


@app.command()
@effects(WRITE)
def plan(
    reference: Annotated[str | None, Argument(metavar="CID[/PATH]", help="The content; else --size.")] = None,
    size: Annotated[str | None, Option(metavar="SIZE", help="Plan for so many bytes, as in 40GiB.")] = None,
    storage_class: Annotated[
        StorageClass, Option("--class", help="How it is used: read all the time, monthly, yearly, hardly ever.")
    ] = "warm",
    strategy: Annotated[Strategy, Option(help="What counts most; geo needs --near.")] = "balanced",
    near: Annotated[
        str | None, Option(metavar="REGION", help="Where it is used: a declared region, or LATITUDE,LONGITUDE.")
    ] = None,
    copies: Annotated[int, Option(min=1, metavar="N", help="At how many more places.")] = 1,
    spread: Annotated[bool, Option("--spread", help="No two copies in one zone.")] = False,
    type: Annotated[str | None, Option(metavar="TYPE", help="Its media type; else as its name tells.")] = None,
    explain: Annotated[bool, Option("--explain", help="Show what each score is made of.")] = False,
) -> Route:
    """Rank the backends for some content, say why, and keep the decision; nothing is sent.

    Examples:
        ipfs-accel store route plan bafy… --explain
        ipfs-accel store route plan --size 40GiB --class archive --strategy cost
        ipfs-accel store route plan bafy… --near eu-1 --copies 2 --spread
    """
    return node().store.placement.plan(
        reference,
        Wish(storage_class, strategy, near, copies, spread),
        size_bytes=None if size is None else parse_bytes(size),
        type=type,
        explain=explain,
    )


@app.command()
@effects(READ)
def log(
    reference: Annotated[str | None, Argument(metavar="CID", help="Only decisions about this content.")] = None,
    limit: Annotated[int, Option(min=1, max=10_000, metavar="N", help="How many, the newest first.")] = 20,
) -> Stream[Decided]:
    """Show the decisions that were made, by plans and by `store heal`, with their reasons.

    Examples:
        ipfs-accel store route log
        ipfs-accel store route log bafy… --limit 5 --json
    """
    return Stream(node().store.placement.log(limit, reference))
