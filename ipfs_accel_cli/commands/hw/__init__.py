"""Commands of the group `hw`: what this machine is, and what it can run."""

from __future__ import annotations

from typer import Typer

from ipfs_accel_cli.commands.parts import assembled

MODULES = ("info", "engines", "fit", "machine", "top", "bench")


def __getattr__(name: str) -> Typer:
    """Make `app` when it is asked for."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    app = globals()["app"] = assembled(__name__, MODULES, "Know this machine.")
    return app
