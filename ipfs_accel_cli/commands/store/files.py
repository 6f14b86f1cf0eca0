"""The mutable paths of an IPFS node (MFS)."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Typer

from ipfs_accel_cli.commands.store.parameters import OnNode
from ipfs_accel_cli.core.effects import DELETE, READ, WRITE, effects
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.store.nodes.results import NodeEntries, NodeEntry, NodePathRemoved

app = Typer(help="Paths of an IPFS node that can change (MFS).", no_args_is_help=True)

NodePath = Annotated[str, Argument(metavar="PATH", help="A path of the node, beginning with /.")]


@app.command()
@effects(READ, network=True)
def ls(on: OnNode, path: NodePath = "/") -> NodeEntries:
    """List a directory of a node, with the CID of each entry.

    Examples:
        ipfs-accel store files ls --on lab
        ipfs-accel store files ls /models --on lab
    """
    return node().store.nodes.entries(path, on)


@app.command()
@effects(READ, network=True)
def stat(path: NodePath, on: OnNode) -> NodeEntry:
    """Show what lies at a path of a node, and its CID.

    Examples:
        ipfs-accel store files stat /models --on lab
    """
    return node().store.nodes.entry(path, on)


@app.command()
@effects(WRITE, network=True)
def mkdir(path: NodePath, on: OnNode) -> NodeEntry:
    """Make a directory at a node, and those above it; one that is there is no error.

    Examples:
        ipfs-accel store files mkdir /models/small --on lab
    """
    return node().store.nodes.make(path, on)


@app.command()
@effects(WRITE, network=True)
def cp(
    source: Annotated[str, Argument(metavar="CID|PATH", help="A CID, or a path of the same node.")],
    path: NodePath,
    on: OnNode,
) -> NodeEntry:
    """Give content a path at a node, and check that just its CID lies there afterwards.

    What is at the path with another CID is a conflict.

    Examples:
        ipfs-accel store files cp bafy… /models/small --on lab
        ipfs-accel store files cp /models/small /models/kept --on lab
    """
    return node().store.nodes.copy(source, path, on)


@app.command()
@effects(DELETE, network=True)
def rm(path: NodePath, on: OnNode) -> NodePathRemoved:
    """Take a path of a node away with all below it; what is gone already is no error.

    Examples:
        ipfs-accel store files rm /models/old --on lab
    """
    return node().store.nodes.remove(path, on)
