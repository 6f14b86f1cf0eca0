"""The mutable paths of an IPFS node (MFS)."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.commands.store.parameters import OnNode
from ipfs_accel_cli.core.effects import DELETE, READ, WRITE, effects
from ipfs_accel_cli.core.results import Blob
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
    return node().store.nodes.folders.entries(path, on)


@app.command()
@effects(READ, network=True)
def stat(path: NodePath, on: OnNode) -> NodeEntry:
    """Show what lies at a path of a node, and its CID.

    Examples:
        ipfs-accel store files stat /models --on lab
    """
    return node().store.nodes.folders.entry(path, on)


@app.command()
@effects(WRITE, network=True)
def mkdir(path: NodePath, on: OnNode) -> NodeEntry:
    """Make a directory at a node, and those above it; one that is there is no error.

    Examples:
        ipfs-accel store files mkdir /models/small --on lab
    """
    return node().store.nodes.folders.make(path, on)


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
    return node().store.nodes.folders.copy(source, path, on)


# It writes: what is read is fetched into the store, where it is proven.
@app.command()
@effects(WRITE, network=True)
def read(
    path: NodePath,
    on: OnNode,
    offset: Annotated[int, Option(min=0, metavar="BYTES", help="Where to begin.")] = 0,
    length: Annotated[int | None, Option(min=0, metavar="BYTES", help="How much; all of the rest if left out.")] = None,
) -> Blob:
    """Write the bytes of a file at a node to standard output, each proven by the CID that the path has.

    Examples:
        ipfs-accel store files read /notes/today.txt --on lab
        ipfs-accel store files read /models/small.gguf --on lab --length 4096
    """
    return node().store.nodes.folders.read(path, on, offset, length)


@app.command()
@effects(WRITE, network=True)
def write(
    path: NodePath,
    file: Annotated[str, Argument(metavar="FILE", help="A file of this machine.")],
    on: OnNode,
    replace: Annotated[bool, Option("--replace", help="Replace a file that is at the path.")] = False,
) -> NodeEntry:
    """Write a file to a path at a node, with the folders above it; it is read back before it takes its place.

    `store put FILE --to NAME:` and `store files cp` bring content by its CID; this one lets the node cut it.

    Examples:
        ipfs-accel store files write /notes/today.txt today.txt --on lab
        ipfs-accel store files write /notes/today.txt today.txt --on lab --replace
    """
    return node().store.nodes.folders.write(path, file, on, replace=replace)


@app.command()
@effects(WRITE, network=True)
def mv(
    source: Annotated[str, Argument(metavar="SOURCE", help="A path of the node.")],
    path: Annotated[str, Argument(metavar="PATH", help="The path that it is to have.")],
    on: OnNode,
) -> NodeEntry:
    """Give what lies at a path of a node another path; what is there already is a conflict.

    Examples:
        ipfs-accel store files mv /models/small /models/kept --on lab
    """
    return node().store.nodes.folders.move(source, path, on)


@app.command()
@effects(DELETE, network=True)
def rm(path: NodePath, on: OnNode) -> NodePathRemoved:
    """Take a path of a node away with all below it; what is gone already is no error.

    Examples:
        ipfs-accel store files rm /models/old --on lab
    """
    return node().store.nodes.folders.remove(path, on)
