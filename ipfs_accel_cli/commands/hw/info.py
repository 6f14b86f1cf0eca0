"""Commands that say what this machine is."""

from __future__ import annotations

from typing import Annotated

from typer import Option, Typer

from ipfs_accel_cli.core.effects import READ, effects
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.hw.results import Machine

Full = Annotated[
    bool, Option("--full", help="Also ask what takes a second or more: WebGPU, Metal, ONNX Runtime, OpenVINO, amdsmi.")
]


def mount(app: Typer) -> None:
    """Add these commands to the group."""
    app.command()(info)


@effects(READ, featured=True)
def info(full: Full = False) -> Machine:
    """Show the processors, memory, disks, networks and accelerators that this machine can use.

    What is not there is absent, and what cannot be told is unknown, both with the reason.

    Examples:
        ipfs-accel hw info
        ipfs-accel hw info --full --json
    """
    return node().hardware.info(full=full)
