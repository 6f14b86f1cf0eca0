"""The command that shows what this machine does at the moment."""

from __future__ import annotations

from typing import Annotated

from typer import Option, Typer

from ipfs_accel_cli.core.effects import READ, effects
from ipfs_accel_cli.core.stream import Live
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.hw.sampling import Sample


def mount(app: Typer) -> None:
    """Add this command to the group."""
    app.command()(top)


# Not for assistants: it has no end, and what it tells is old when they read it.
@effects(READ, idempotent=False, exposed=False)
def top(
    interval: Annotated[float, Option(min=0.1, max=3600, help="Seconds between two looks.")] = 1.0,
    count: Annotated[int | None, Option(min=1, help="Look so many times, then end; without end otherwise.")] = None,
) -> Live[Sample]:
    """Show how busy cores, memory, accelerators, disks and networks are, until `q` or Ctrl-C.

    Off a terminal, and with --json, it writes one line of JSON for each look.

    Examples:
        ipfs-accel hw top
        ipfs-accel hw top --interval 5 --count 12 > busy.jsonl
    """
    return node().hardware.top(interval=interval, count=count)
