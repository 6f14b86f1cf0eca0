"""Commands of the group `store`: content by its address, from folders down to single blocks, here and elsewhere."""

from __future__ import annotations

from typer import Typer

from ipfs_accel_cli.commands.parts import assembled

MODULES = (
    "content",
    "sharing",
    "integrity",
    "placement",
    "backend",
    "cache",
    "dag",
    "block",
    "cid",
    "pin",
    "path",
    "route",
    "price",
    "name",
    "key",
    "stats",
    "swarm",
    "dht",
    "files",
    "repo",
    "sealing",
    "identity",
    "meta",
)


def __getattr__(name: str) -> Typer:
    """Make `app` when it is asked for."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    app = globals()["app"] = assembled(__name__, MODULES, "Content by its address: put, read, verify, carry.")
    return app
