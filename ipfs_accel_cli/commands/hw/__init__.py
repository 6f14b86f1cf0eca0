"""Commands of the group `hw`: what this machine is."""

from __future__ import annotations

from typer import Typer

from ipfs_accel_cli.commands.hw import info

app = Typer(help="Know this machine.", no_args_is_help=True)
info.mount(app)
