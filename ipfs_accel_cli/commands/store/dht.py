"""Who has what on the network of an IPFS node."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.commands.store.parameters import OnNode
from ipfs_accel_cli.core.effects import READ, WRITE, effects
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.store.nodes.results import NodePeers, NodeRecord, Provided

app = Typer(help="The routing of an IPFS node: who has what.", no_args_is_help=True)

Wanted = Annotated[str, Argument(metavar="CID", help="A CID; only the block itself is meant.")]
RecordName = Annotated[str, Argument(metavar="NAME", help="An IPNS name, or what its key is called here.")]


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
    return node().store.nodes.routing.providers(cid, on, most)


@app.command()
@effects(WRITE, network=True)
def provide(cid: Wanted, on: OnNode) -> Provided:
    """Let a node tell its network that it has a block.

    Examples:
        ipfs-accel store dht provide bafy… --on lab
    """
    return node().store.nodes.routing.provide(cid, on)


@app.command()
@effects(READ, network=True)
def find_peer(
    peer: Annotated[str, Argument(metavar="PEER", help="A peer id, such as 12D3Koo….")], on: OnNode
) -> NodePeers:
    """Find the addresses of a node of the network.

    Examples:
        ipfs-accel store dht find-peer 12D3KooWBxo29iJeT8AWAc1DBB4NP72DyBh8rKLhRqjPVbLbaEjQ --on lab
    """
    return node().store.nodes.routing.peer(peer, on)


@app.command()
@effects(WRITE, network=True)
def get(
    name: RecordName,
    on: OnNode,
    output: Annotated[str | None, Option("--output", "-o", metavar="FILE", help="Also write the record here.")] = None,
) -> NodeRecord:
    """Show the newest record of an IPNS name that the network has, once it is verified; status 4 where it is not.

    Examples:
        ipfs-accel store dht get k51qzi5uqu5dh9ihj4p2v5sl3hxvv27ryx2w0xrsv6jmmqi91t9xp8p9kaipc2 --on lab
        ipfs-accel store dht get site --on lab -o site.ipns-record
    """
    return node().store.nodes.routing.record(name, on, output)


@app.command()
@effects(WRITE, network=True)
def put(
    name: RecordName,
    file: Annotated[str, Argument(metavar="FILE", help="A file with one record.")],
    on: OnNode,
) -> NodeRecord:
    """Bring the record in a file to the network; one that its name did not sign, or whose time is over, is not sent.

    Examples:
        ipfs-accel store dht put site site.ipns-record --on lab
    """
    return node().store.nodes.routing.put(name, file, on)
