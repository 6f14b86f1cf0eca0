"""How an IPFS node is."""

from __future__ import annotations

from typer import Typer

from ipfs_accel_cli.commands.store.parameters import OnNode
from ipfs_accel_cli.core.effects import READ, effects
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.store.nodes.results import NodeStats

app = Typer()


def mount(group: Typer) -> None:
    """Add this command to the group."""
    group.registered_commands.extend(app.registered_commands)


@app.command()
@effects(READ, network=True)
def stats(on: OnNode) -> NodeStats:
    """Show how much an IPFS node keeps, and what went over its network since it started.

    Examples:
        ipfs-accel store stats --on lab
    """
    return node().store.nodes.stats(on)
