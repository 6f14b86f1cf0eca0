"""Commands that bring content to backends, and from there."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.commands.store.parameters import From, Reference
from ipfs_accel_cli.core.effects import WRITE, effects
from ipfs_accel_cli.core.stream import Stream
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.store.backends.results import Copied, Fetched

app = Typer()


def mount(group: Typer) -> None:
    """Add these commands to the group."""
    group.registered_commands.extend(app.registered_commands)


@app.command()
@effects(WRITE, network=True)
def copy(
    reference: Reference,
    to: Annotated[list[str], Argument(metavar="NAME:[PATH]", help="Backends, each with a path where you like one.")],
    on: From = None,
) -> Stream[Copied]:
    """Send content to backends; what is there already does not travel, and what arrived is proven.

    A place that keeps files gets them under their own names, and beside them what a CID needs to be whole again there.

    Examples:
        ipfs-accel store copy bafy… cold:
        ipfs-accel store copy bafy… cold:models/tiny lab:
        ipfs-accel store copy bafy… lab: --on cold
    """
    return Stream(node().store.exchange.copy(reference, to, on))


@app.command()
@effects(WRITE, network=True)
def fetch(
    reference: Reference,
    on: Annotated[str, Option("--on", metavar="NAME", help="The backend that has it.")],
) -> Fetched:
    """Bring a whole DAG from a backend into the store and keep it, every byte proven.

    Killed and run again it goes on where it was.

    Examples:
        ipfs-accel store fetch bafy… --on cold
    """
    return node().store.exchange.fetch(reference, on)
