"""Commands of the group `model`: models by any name, proven and registered."""

from __future__ import annotations

from typer import Typer

from ipfs_accel_cli.commands.model import (
    contents,
    deploy,
    health,
    history,
    keeping,
    making,
    push,
    quality,
    registry,
    signing,
)

app = Typer(help="Fetch, prove, name and hand on models.", no_args_is_help=True)
registry.mount(app)
push.mount(app)
contents.mount(app)
health.mount(app)
history.mount(app)
signing.mount(app)
keeping.mount(app)
deploy.mount(app)
quality.mount(app)
making.mount(app)
