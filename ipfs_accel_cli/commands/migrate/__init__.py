"""Commands of the group `migrate`: content brought from any place to any other, with proof that it arrived."""

from __future__ import annotations

from typer import Typer

from ipfs_accel_cli.commands.parts import assembled

MODULES = ("moving", "runs", "rescuing", "policy", "schedule")


def __getattr__(name: str) -> Typer:
    """Make `app` when it is asked for."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    text = "Bring content from any place to any other, and prove that it arrived."
    app = globals()["app"] = assembled(__name__, MODULES, text)
    return app
