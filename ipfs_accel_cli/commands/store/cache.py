"""Commands for the caches of backends."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Typer

from ipfs_accel_cli.core.effects import DELETE, READ, effects
from ipfs_accel_cli.core.stream import Stream
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.store.backends.results import CacheCleared, CacheShown

app = Typer(help="What is kept here of what was read at backends that have a cache.", no_args_is_help=True)


@app.command()
@effects(READ)
def ls() -> Stream[CacheShown]:
    """List the caches, how full they are and how often they had what was asked for.

    Examples:
        ipfs-accel store cache ls
    """
    return node().store.backends.cached()


@app.command()
@effects(DELETE)
def clear(name: Annotated[str, Argument(metavar="NAME", help="The backend.")]) -> CacheCleared:
    """Empty the cache of a backend.

    Examples:
        ipfs-accel store cache clear far
    """
    return node().store.backends.clear_cache(name)
