"""Who has what on the network of an IPFS node."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.commands.store.parameters import OnNode
from ipfs_accel_cli.core.effects import READ, WRITE, effects
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.store.nodes.results import NodePeers, Provided

app = Typer(help="The routing of an IPFS node: who has what.", no_args_is_help=True)

Wanted = Annotated[str, Argument(metavar="CID", help="A CID; only the block itself is meant.")]


@app.command()
@effects(READ, network=True)
def find_providers(
    cid: Wanted,
    on: OnNode,
    most: Annotated[int, Option(metavar="N", help="Stop after so many.")] = 20,
) -> NodePeers:
    """Find the nodes that say to have a block.

    Examples:
        ipfs-accel store dht find-providers bafy… --on lab
        ipfs-accel store dht find-providers bafy… --on lab --most 1
    """
    return node().store.nodes.providers(cid, on, most)


@app.command()
@effects(WRITE, network=True)
def provide(cid: Wanted, on: OnNode) -> Provided:
    """Let a node tell its network that it has a block.

    Examples:
        ipfs-accel store dht provide bafy… --on lab
    """
    return node().store.nodes.provide(cid, on)
