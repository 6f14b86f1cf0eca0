"""The command that draws pictures, beside those of `infer image`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.commands.infer import image
from ipfs_accel_cli.commands.infer.options import Device, Engine, Model
from ipfs_accel_cli.core.effects import WRITE, effects
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.infer.multimodal.results import Drawing


def mount(_group: Typer) -> None:
    """Leave the group as it is: the command is one of `infer image`."""


@image.app.command()
@effects(WRITE, idempotent=False)
def generate(
    prompt: Annotated[str | None, Argument(help="What the picture is to show; else standard input.")] = None,
    output: Annotated[
        Path, Option("--output", "-o", metavar="FILE", help="The picture to write; its ending is its format.")
    ] = Path("picture.png"),
    model: Model = None,
    steps: Annotated[int, Option(help="How many times the noise is taken away; more is finer and slower.")] = 30,
    guidance: Annotated[float, Option(help="How closely to follow the prompt; 1 is not to press for it.")] = 7.5,
    seed: Annotated[int | None, Option(help="Begin chance with this number, to get the same picture again.")] = None,
    size: Annotated[
        str | None, Option(metavar="WIDTHxHEIGHT", help="In pixels, at most 2048 a side; else the model's own.")
    ] = None,
    negative: Annotated[str, Option(help="What the picture is not to show.")] = "",
    force: Annotated[bool, Option("--force", help="Replace a file that exists.")] = False,
    engine: Engine = None,
    device: Device = None,
) -> Drawing:
    """Draw a picture from words, with a pipeline of diffusers (`pip install 'ipfs-accel[diffusion]'`).

    No filter looks at what is drawn. Weights are read from safetensors only, and no program of a model's is run.

    Examples:
        ipfs-accel infer image generate "a lighthouse at dusk" -o lighthouse.png -m sd-turbo --steps 4 --guidance 1
        ipfs-accel infer image generate "a red bicycle" -o bicycle.webp --seed 7 --size 512x384 --json
    """
    return node().inference.multimodal.draw(
        prompt,
        output,
        model=model,
        steps=steps,
        guidance=guidance,
        seed=seed,
        size=size,
        negative=negative,
        force=force,
        engine=engine,
        device=device,
    )
