"""The command that lists what can read files."""

from __future__ import annotations

from typer import Typer

from ipfs_accel_cli.core.effects import READ, effects
from ipfs_accel_cli.services.search.adapters import Adapters
from ipfs_accel_cli.services.search.adapters import adapters as known


def mount(app: Typer) -> None:
    """Add the command to the group."""
    app.command()(adapters)


@effects(READ)
def adapters() -> Adapters:
    """List which kinds of file the index can read, and what to install for the others.

    Examples:
        ipfs-accel search adapters
        ipfs-accel search adapters --json
    """
    return Adapters(adapters=list(known()))
