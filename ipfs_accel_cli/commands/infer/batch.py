"""The command that answers many requests out of a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.commands.infer.options import Device, Engine
from ipfs_accel_cli.core.effects import WRITE, Pathlike, effects
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.infer.batch.results import Batched


def mount(app: Typer) -> None:
    """Add the command to the group."""
    app.command()(batch)


@effects(WRITE, detach=True)
def batch(
    output: Annotated[Path, Option("--output", "-o", help="Write the answers here, one a line.")],
    source: Annotated[
        Path | None,
        Pathlike(or_input=True),
        Argument(metavar="FILE", help="Requests, one a line; else standard input."),
    ] = None,
    task: Annotated[str | None, Option(help="What to do with plain texts: embed, classify, generate or chat.")] = None,
    model: Annotated[
        str | None, Option("--model", "-m", help="This model answers all lines, whatever they name.")
    ] = None,
    max_tokens: Annotated[int, Option(help="Of plain texts: stop after this many new tokens.")] = 128,
    temperature: Annotated[float, Option(help="Of plain texts: 0 takes the likeliest token each time.")] = 0.0,
    seed: Annotated[int, Option(help="Of plain texts: begin chance with this number.")] = 0,
    stop: Annotated[list[str] | None, Option(help="Of plain texts: end before this text; may be given again.")] = None,
    engine: Engine = None,
    device: Device = None,
    restart: Annotated[bool, Option("--restart", help="Begin anew, and replace what an earlier run wrote.")] = False,
) -> Batched:
    """Answer many requests out of a file into another; killed and run again, it goes on where it was.

    A line is a request as OpenAI's batches have it (custom_id, url, body), or, with --task, a JSON text or an object
    with a text. Answers stand in the order of the lines. A line that cannot be answered gets its reason in place of an
    answer, and the exit status is 11. Memory stays bounded, however long the input.

    Examples:
        ipfs-accel infer batch requests.jsonl -o answers.jsonl
        ipfs-accel infer batch texts.jsonl -o vectors.jsonl --task embed
        cat endless.jsonl | ipfs-accel infer batch -o labels.jsonl --task classify -m topics
    """
    from ipfs_accel_cli.engines.exchange.text import GenerateOptions
    from ipfs_accel_cli.services.infer.batch.items import Wanted

    options = GenerateOptions(max_tokens, temperature, seed=seed, stop=tuple(stop or ()))
    wanted = Wanted(task, model, options)
    return node().inference.batches.run(source, output, wanted, engine=engine, device=device, restart=restart)
