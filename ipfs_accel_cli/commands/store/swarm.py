"""Whom an IPFS node is connected to."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.commands.store.parameters import OnNode
from ipfs_accel_cli.core.effects import READ, WRITE, effects
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.store.nodes.results import NodeConnection, NodePeers, NodePing

app = Typer(help="Neighbours of an IPFS node.", no_args_is_help=True)

Address = Annotated[str, Argument(metavar="ADDRESS", help="A multiaddress that ends in /p2p/PEER.")]


@app.command()
@effects(READ, network=True)
def peers(on: OnNode) -> NodePeers:
    """List the nodes that a node is connected to.

    Examples:
        ipfs-accel store swarm peers --on lab
    """
    return node().store.nodes.peers(on)


@app.command()
@effects(READ, network=True)
def addrs(on: OnNode) -> NodePeers:
    """List the nodes whose addresses a node knows, connected or not.

    Examples:
        ipfs-accel store swarm addrs --on lab
    """
    return node().store.nodes.addresses(on)


@app.command()
@effects(WRITE, network=True, exposed=False)
def connect(address: Address, on: OnNode) -> NodeConnection:
    """Let a node connect to another.

    Examples:
        ipfs-accel store swarm connect /ip4/10.0.0.7/tcp/4001/p2p/12D3… --on lab
    """
    return node().store.nodes.connect(address, on)


@app.command()
@effects(WRITE, network=True, exposed=False)
def disconnect(address: Address, on: OnNode) -> NodeConnection:
    """Let a node close its connection to another.

    Examples:
        ipfs-accel store swarm disconnect /ip4/10.0.0.7/tcp/4001/p2p/12D3… --on lab
    """
    return node().store.nodes.disconnect(address, on)


@app.command()
@effects(READ, network=True)
def ping(
    peer: Annotated[str, Argument(metavar="PEER", help="A peer id, or an address that ends in /p2p/PEER.")],
    on: OnNode,
    count: Annotated[int, Option(metavar="N", help="How often.")] = 3,
) -> NodePing:
    """Let a node ping another, and show how soon it answers.

    Examples:
        ipfs-accel store swarm ping 12D3KooWBxo29iJeT8AWAc1DBB4NP72DyBh8rKLhRqjPVbLbaEjQ --on lab
    """
    return node().store.nodes.ping(peer, on, count)
