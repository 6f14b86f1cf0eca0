"""Commands of the group `search`: find what is kept, by words, meaning, metadata and kinship."""

from __future__ import annotations

from typer import Typer

from ipfs_accel_cli.commands.parts import assembled

MODULES = ("query", "asking", "kin", "index", "adapters", "tag", "saved")


def __getattr__(name: str) -> Typer:
    """Make `app` when it is asked for."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    app = globals()["app"] = assembled(__name__, MODULES, "Find what is kept: by words, meaning, metadata and kinship.")
    return app
