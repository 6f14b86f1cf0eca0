"""Commands of the group `peer`: who this node is to others."""

from __future__ import annotations

from typer import Typer

from ipfs_accel_cli.core.effects import WRITE, effects
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.peer.results import Identity

app = Typer(help="This node's identity among others.", no_args_is_help=True)


@app.command("id")
@effects(WRITE)
def identity() -> Identity:
    """Show this node's peer id; its key is made on first use.

    The key stays in the home folder, readable by its owner only. Keep it: the peer id is its name.

    Examples:
        ipfs-accel peer id
        ipfs-accel -q peer id
    """
    return node().peers.identity()
