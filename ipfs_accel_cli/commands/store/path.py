"""Commands for trees: paths that change over content that does not."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.core.effects import DELETE, READ, WRITE, effects
from ipfs_accel_cli.core.stream import Stream
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.store.trees.results import RemovedEntries, Snapshot, TreeEntry

app = Typer(help="Paths that can change: TREE/NAMES; for programs ipfsaccel://TREE/NAMES.", no_args_is_help=True)

TreePath = Annotated[str, Argument(metavar="TREE[/PATH]", help="A tree, and names in it.")]


@app.command()
@effects(WRITE)
def put(
    file: Annotated[Path, Argument(metavar="FILE", help="A file of this machine.")],
    path: Annotated[str, Argument(metavar="TREE/PATH", help="What it is to be.")],
) -> TreeEntry:
    """Let a path be a file, whatever it was before.

    Examples:
        ipfs-accel store path put results.csv work/results.csv
    """
    return node().store.trees.put(file, path)


@app.command()
@effects(READ)
def ls(
    path: Annotated[str, Argument(metavar="[TREE[/PATH]]", help="A folder; the trees if left out.")] = "",
) -> Stream[TreeEntry]:
    """List a folder of a tree, or the trees.

    Examples:
        ipfs-accel store path ls
        ipfs-accel store path ls work
    """
    return Stream(node().store.trees.ls(path))


@app.command()
@effects(WRITE)
def snapshot(path: TreePath) -> Snapshot:
    """Give a folder of a tree a CID, and keep that: content that never changes.

    Examples:
        ipfs-accel store path snapshot work
        ipfs-accel -q store path snapshot work/results.csv
    """
    return node().store.trees.snapshot(path)


@app.command()
@effects(DELETE)
def rm(
    path: TreePath,
    recursive: Annotated[bool, Option("--recursive", "-r", help="A folder with all that is in it.")] = False,
) -> RemovedEntries:
    """Take a file or a folder off a tree; `store gc` frees what nothing else keeps.

    Examples:
        ipfs-accel store path rm work/results.csv
        ipfs-accel store path rm work -r
    """
    return node().store.trees.remove(path, recursive=recursive)
