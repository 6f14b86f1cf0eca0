"""Commands of the group `hw`: what this machine is, and what it can run."""

from __future__ import annotations

from typer import Typer

from ipfs_accel_cli.commands.hw import engines, fit, info, machine, top

app = Typer(help="Know this machine.", no_args_is_help=True)
info.mount(app)
engines.mount(app)
fit.mount(app)
app.add_typer(machine.app, name="machine")
top.mount(app)
