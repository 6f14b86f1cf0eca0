"""Commands that say what this machine is."""

from __future__ import annotations

from typer import Typer

from ipfs_accel_cli.core.effects import READ, effects
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.hw.results import Machine


def mount(app: Typer) -> None:
    """Add these commands to the group."""
    app.command()(info)


@effects(READ, featured=True)
def info() -> Machine:
    """Show the processors, memory and accelerators that this machine can use.

    What is not there is absent, and what cannot be told is unknown, both with the reason.

    Examples:
        ipfs-accel hw info
        ipfs-accel hw info --json
    """
    return node().hardware.info()
