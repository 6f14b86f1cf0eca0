"""Commands of the group `migrate`: content brought from any place to any other, with proof that it arrived."""

from __future__ import annotations

from typer import Typer

from ipfs_accel_cli.commands.parts import assembled

MODULES = ("moving", "runs")


def __getattr__(name: str) -> Typer:
    if name != "app":
        raise AttributeError(name)
    return assembled(__name__, MODULES, "Bring content from any place to any other, and prove that it arrived.")
