"""What an IPFS node keeps by itself."""

from __future__ import annotations

from typer import Typer

from ipfs_accel_cli.commands.store.parameters import OnNode
from ipfs_accel_cli.core.effects import DELETE, effects
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.store.nodes.results import NodeCollected

app = Typer(help="The repository of an IPFS node.", no_args_is_help=True)


@app.command()
@effects(DELETE, network=True, exposed=False)
def gc(on: OnNode) -> NodeCollected:
    """Let a node remove every block that no pin and no path there holds, whoever brought it.

    Examples:
        ipfs-accel store repo gc --on lab
    """
    return node().store.nodes.collect(on)
