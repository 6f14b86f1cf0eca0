"""Commands that say which engines run models here, and what a bug report should tell."""

from __future__ import annotations

from typing import Annotated

from typer import Option, Typer

from ipfs_accel_cli.commands.hw.info import Full
from ipfs_accel_cli.core.effects import READ, effects
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.hw.engines import Engines
from ipfs_accel_cli.services.hw.report import Report

Load = Annotated[bool, Option("--full", help="Load each engine, in a process of its own, to see its devices.")]


def mount(app: Typer) -> None:
    """Add these commands to the group."""
    app.command()(engines)
    app.command()(report)


@effects(READ)
def engines(full: Load = False) -> Engines:
    """List the engines that run models: which run here, in which versions, for what, and how to install the others.

    Examples:
        ipfs-accel hw engines
        ipfs-accel hw engines --full --json
    """
    return node().hardware.engines(full=full)


@effects(READ)
def report(full: Full = False) -> Report:
    """Write what a bug report should say of this machine, in Markdown, without names, addresses and secrets.

    Examples:
        ipfs-accel hw report
        ipfs-accel hw report --full > report.md
    """
    return node().hardware.report(node().settings, full=full)
