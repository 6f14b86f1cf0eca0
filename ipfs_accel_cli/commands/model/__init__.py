"""Commands of the group `model`: models by any name, proven and registered."""

from __future__ import annotations

from typer import Typer

from ipfs_accel_cli.commands.parts import assembled

MODULES = (
    *("registry", "catalogue", "push", "contents", "health", "history", "signing", "keeping", "deploy", "quality"),
    "making",
)


def __getattr__(name: str) -> Typer:
    """Make `app` when it is asked for."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    app = globals()["app"] = assembled(__name__, MODULES, "Fetch, prove, name and hand on models.")
    return app
