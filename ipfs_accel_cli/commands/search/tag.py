"""Commands for tags."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.core.effects import READ, WRITE, effects
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.search.kin_results import Suggested
from ipfs_accel_cli.services.search.results import Tagged, Tags

app = Typer(help="Words that you give to content.", no_args_is_help=True)

Cid = Annotated[str, Argument(metavar="CID", help="What it is about; of a model, the CID of its manifest.")]
Words = Annotated[list[str], Argument(metavar="TAG")]


@app.command()
@effects(WRITE)
def add(cid: Cid, tags: Words) -> Tagged:
    """Give tags to content.

    Examples:
        ipfs-accel search tag add bafy… keep "to read"
    """
    return node().search.tags.add(cid, tags)


@app.command()
@effects(WRITE)
def rm(cid: Cid, tags: Words) -> Tagged:
    """Take tags off.

    Examples:
        ipfs-accel search tag rm bafy… keep
    """
    return node().search.tags.remove(cid, tags)


@app.command()
@effects(READ)
def ls(cid: Annotated[str | None, Argument(metavar="CID", help="Only the tags of this.")] = None) -> Tags:
    """List tags, and how many documents have each.

    Examples:
        ipfs-accel search tag ls
    """
    return node().search.tags.all(cid)


# It writes: the index takes in what changed since the last query.
@app.command()
@effects(WRITE)
def suggest(cid: Cid, limit: Annotated[int, Option(help="How many at most.")] = 10) -> Suggested:
    """Propose tags: those of what is like it, and what its header says, each with a reason; none is given.

    Examples:
        ipfs-accel search tag suggest bafy…
    """
    return node().search.suggest(cid, limit)
