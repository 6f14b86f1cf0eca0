"""What an IPFS node keeps by itself."""

from __future__ import annotations

from typer import Typer

from ipfs_accel_cli.commands.store.parameters import OnNode
from ipfs_accel_cli.core.effects import DELETE, READ, effects
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.store.nodes.results import NodeCollected, NodeVerified

app = Typer(help="The repository of an IPFS node.", no_args_is_help=True)


@app.command()
@effects(DELETE, network=True, exposed=False)
def gc(on: OnNode) -> NodeCollected:
    """Let a node remove every block that no pin and no path there holds, whoever brought it.

    Examples:
        ipfs-accel store repo gc --on lab
    """
    return node().store.nodes.collect(on)


@app.command()
@effects(READ, network=True)
def verify(on: OnNode) -> NodeVerified:
    """Let a node hash every block that it keeps; status 4 with the CIDs of those that are damaged.

    `store verify CID --on NAME` proves content from here instead of taking the node's word.

    Examples:
        ipfs-accel store repo verify --on lab
    """
    return node().store.nodes.verify(on)
