"""Commands that measure backends and say what content there costs."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.core.effects import WRITE, effects
from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.core.stream import Stream
from ipfs_accel_cli.core.units import parse_bytes, parse_duration
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.store.placement.results import Cost, Probed

app = Typer()
_DAY_S = 86_400


def mount(group: Typer) -> None:
    """Add these commands to the group."""
    group.registered_commands.extend(app.registered_commands)


@app.command()
@effects(WRITE, network=True)
def probe(
    names: Annotated[
        list[str] | None, Argument(metavar="NAME", help="Backends; all of them where none is named.")
    ] = None,
    size: Annotated[str, Option(metavar="SIZE", help="How much to send and to read back, as in 8MiB.")] = "1MiB",
    read_only: Annotated[bool, Option("--read-only", help="Only read what lies there already.")] = False,
) -> Stream[Probed]:
    """Measure how fast backends are: put something there, read it back, and take it away again.

    What is measured counts when content is placed, as every transfer does.

    Examples:
        ipfs-accel store probe
        ipfs-accel store probe cold lab --size 16MiB
        ipfs-accel store probe cold --read-only
    """
    return Stream(node().store.placement.probe(names or [], parse_bytes(size), read_only=read_only))


@app.command()
@effects(WRITE)
def cost(
    forecast: Annotated[
        str | None, Option(metavar="TIME", help="Also what so much time would cost, as in 90d, and how sure that is.")
    ] = None,
) -> Cost:
    """Say what the known copies cost a month, by the prices that are declared and the traffic that was measured.

    Examples:
        ipfs-accel store cost
        ipfs-accel store cost --forecast 90d
    """
    days = None if forecast is None else parse_duration(forecast) / _DAY_S
    if days is not None and days < 1:
        raise Invalid("a forecast is for a day at least, as in --forecast 90d")
    return node().store.placement.cost(None if days is None else round(days))
