"""Commands that write text."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.commands.infer.options import Device, Engine, Model
from ipfs_accel_cli.core.effects import READ, effects
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.infer.results import Generation


def mount(app: Typer) -> None:
    """Add these commands to the group."""
    app.command()(generate)


@effects(READ, featured=True)
def generate(
    prompt: Annotated[str | None, Argument(help="The text to go on from; else standard input.")] = None,
    model: Model = None,
    max_tokens: Annotated[int, Option(help="Stop after this many new tokens.")] = 128,
    temperature: Annotated[float, Option(help="0 takes the likeliest token each time; higher is freer.")] = 0.0,
    top_p: Annotated[float, Option(help="Draw from the likeliest tokens that together have this probability.")] = 1.0,
    top_k: Annotated[int, Option(help="Draw from this many of the likeliest tokens; 0 is all.")] = 0,
    seed: Annotated[int | None, Option(help="Begin chance with this number, to get the same text again.")] = None,
    stop: Annotated[list[str] | None, Option(help="End before this text; may be given several times.")] = None,
    adapter: Annotated[
        list[str] | None, Option(help="Change the weights by this LoRA adapter, NAME or NAME:SCALE; several add up.")
    ] = None,
    compile: Annotated[bool, Option("--compile", help="Compile the model first: slow to begin, then faster.")] = False,
    timeout: Annotated[float | None, Option(help="Give up after this many seconds, loading included.")] = None,
    engine: Engine = None,
    device: Device = None,
    stats: Annotated[bool, Option("--stats", help="Add what the run took to the result.")] = False,
) -> Generation:
    """Continue a prompt; the text appears as it is made.

    Examples:
        ipfs-accel infer generate "Once upon a time" --max-tokens 60
        ipfs-accel infer generate "One day," --temperature 0.8 --seed 7 --stop "The end." --json
        ipfs-accel infer generate "Once" -m stories --adapter rhymes:0.5 --timeout 30
    """
    return node().inference.generate(
        prompt,
        model=model,
        max_tokens=max_tokens,
        temperature=temperature,
        top_p=top_p,
        top_k=top_k,
        seed=seed,
        stop=stop or [],
        adapters=adapter or [],
        compiled=compile,
        timeout=timeout,
        engine=engine,
        device=device,
        stats=stats,
    )
