"""Commands of `infer multimodal`: pictures and words together."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.commands.infer.options import Device, Engine, Model
from ipfs_accel_cli.core.effects import READ, effects
from ipfs_accel_cli.core.stream import Stream
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.infer.multimodal.results import Caption, Pairing, PictureAnswer

app = Typer(help="Caption pictures, ask about them, and compare them with texts.", no_args_is_help=True)

Temperature = Annotated[float, Option(help="0 takes the likeliest token each time; higher is freer.")]
Seed = Annotated[int | None, Option(help="Begin chance with this number, to get the same again.")]
Batch = Annotated[int | None, Option(help="Pictures that go through the model at once; 8 unless told.")]


def mount(group: Typer) -> None:
    """Add these commands to the group."""
    group.add_typer(app, name="multimodal")


@app.command()
@effects(READ)
def caption(
    images: Annotated[
        list[Path] | None, Argument(metavar="IMAGE", help="Pictures; without any, one from standard input.")
    ] = None,
    model: Model = None,
    begin: Annotated[
        str, Option(help="Words that each caption goes on from; for a model that follows instructions, what to do.")
    ] = "",
    max_tokens: Annotated[int, Option(help="Stop after this many tokens.")] = 48,
    temperature: Temperature = 0.0,
    seed: Seed = None,
    batch: Batch = None,
    engine: Engine = None,
    device: Device = None,
) -> Stream[Caption]:
    """Put pictures into words, in their order.

    The default model is a toy that knows drawn shapes only; `scripts/train_captioner.py` trains it in about a minute.

    Examples:
        ipfs-accel infer multimodal caption circle.png square.png
        ipfs-accel infer multimodal caption *.jpg -m blip --begin "a photograph of" --json
    """
    return node().inference.multimodal.caption(
        images or [],
        model=model,
        begin=begin,
        max_tokens=max_tokens,
        temperature=temperature,
        seed=seed,
        batch=batch,
        engine=engine,
        device=device,
    )


@app.command()
@effects(READ)
def ask(
    image: Annotated[Path, Argument(help="A picture; - is standard input.")],
    question: Annotated[str, Argument(help="What to ask about it.")],
    model: Model = None,
    max_tokens: Annotated[int, Option(help="Stop after this many tokens.")] = 64,
    temperature: Temperature = 0.0,
    top_p: Annotated[float, Option(help="Draw from the likeliest tokens that together have this probability.")] = 1.0,
    top_k: Annotated[int, Option(help="Draw from this many of the likeliest tokens; 0 is all.")] = 0,
    seed: Seed = None,
    stop: Annotated[list[str] | None, Option(help="End before this text; may be given several times.")] = None,
    engine: Engine = None,
    device: Device = None,
) -> PictureAnswer:
    """Ask a question about a picture; the answer appears as it is made.

    The default model is a toy that knows drawn shapes only; `scripts/train_shape_answers.py` trains it.

    Examples:
        ipfs-accel infer multimodal ask shapes.png "what colour is the circle?"
        ipfs-accel infer multimodal ask photo.jpg "What is on the table?" -m llava --max-tokens 40 --json
    """
    return node().inference.multimodal.ask(
        image,
        question,
        model=model,
        max_tokens=max_tokens,
        temperature=temperature,
        top_p=top_p,
        top_k=top_k,
        seed=seed,
        stop=stop or [],
        engine=engine,
        device=device,
    )


@app.command()
@effects(READ)
def embed(
    texts: Annotated[list[str] | None, Argument(metavar="TEXT", help="Texts.")] = None,
    image: Annotated[list[Path] | None, Option(help="A picture; may be given several times.")] = None,
    query: Annotated[str | None, Option(help="Rank by nearness to this text, nearest first.")] = None,
    query_image: Annotated[Path | None, Option(help="Rank by nearness to this picture, nearest first.")] = None,
    label: Annotated[
        list[str] | None, Option(help="What a picture may show; given several times, the best comes first.")
    ] = None,
    top: Annotated[int | None, Option(help="Give only this many of the nearest, or of the labels.")] = None,
    vectors: Annotated[bool, Option("--vectors", help="With a query or labels, give the vectors too.")] = False,
    model: Model = None,
    batch: Annotated[int | None, Option(help="Pictures or texts that go through at once; 8 unless told.")] = None,
    engine: Engine = None,
    device: Device = None,
) -> Stream[Pairing]:
    """Put texts and pictures into one space, rank them by nearness, or label pictures with words of your own.

    The default model is a toy that knows drawn shapes only; `scripts/train_shape_pair.py` trains it in about a minute.

    Examples:
        ipfs-accel infer multimodal embed --image a.png --image b.png --query "a large red circle"
        ipfs-accel infer multimodal embed "a red circle" "a blue square" --query-image a.png
        ipfs-accel infer multimodal embed --image a.png --label "a red circle" --label "a blue square"
    """
    return node().inference.multimodal.embed(
        texts or [],
        image or [],
        query=query,
        query_image=query_image,
        labels=label or [],
        top=top,
        vectors=vectors,
        model=model,
        batch=batch,
        engine=engine,
        device=device,
    )
