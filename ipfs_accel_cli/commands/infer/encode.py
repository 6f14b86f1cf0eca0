"""Commands that read texts: vectors and labels."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option, Typer

from ipfs_accel_cli.commands.infer.options import Batch, Device, Engine, Model, StatsToError, Texts
from ipfs_accel_cli.core.effects import READ, effects
from ipfs_accel_cli.core.stream import Stream
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.infer.results import Classification, Embedding


def mount(app: Typer) -> None:
    """Add these commands to the group."""
    app.command()(embed)
    app.command()(classify)


@effects(READ, featured=True)
def embed(
    texts: Texts = None,
    model: Model = None,
    file: Annotated[Path | None, Option(help="Read texts from this file, one a line, UTF-8.")] = None,
    query: Annotated[str | None, Option(help="Rank the texts by nearness to this one, nearest first.")] = None,
    vectors: Annotated[bool, Option("--vectors", help="With --query, give the vectors too.")] = False,
    top: Annotated[int | None, Option(help="With --query, give only this many of the nearest.")] = None,
    batch: Batch = None,
    engine: Engine = None,
    device: Device = None,
    stats: StatsToError = False,
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


@effects(READ)
def classify(
    texts: Texts = None,
    model: Model = None,
    file: Annotated[Path | None, Option(help="Read texts from this file, one a line, UTF-8.")] = None,
    top: Annotated[int | None, Option(help="Give this many of the likeliest labels.")] = 5,
    batch: Batch = None,
    engine: Engine = None,
    device: Device = None,
    stats: StatsToError = False,
) -> Stream[Classification]:
    """Give texts the labels of a classifier, the likeliest first, in the order of the texts.

    Examples:
        ipfs-accel infer classify "The match ended two all." -m topics
        ipfs-accel infer classify --file lines.txt -m topics --top 1 > labels.jsonl
    """
    return node().inference.classify(
        texts or [], file=file, model=model, top=top, batch=batch, engine=engine, device=device, stats=stats
    )
