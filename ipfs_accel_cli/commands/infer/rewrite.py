"""Commands that write texts from texts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option, Typer

from ipfs_accel_cli.commands.infer.options import Device, Engine, Model, Texts
from ipfs_accel_cli.core.effects import READ, effects
from ipfs_accel_cli.core.stream import Stream
from ipfs_accel_cli.engines.exchange.text import RewriteOptions
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.infer.text.results import Summary, Translation

MaxTokens = Annotated[int, Option(help="Write no more than this many tokens of a text.")]
Beams = Annotated[int, Option(help="Look for the likeliest text with this many at a time; 1 takes token by token.")]
LengthPenalty = Annotated[float, Option(help="With beams: above 1 favours long texts, below 1 short ones.")]
Temperature = Annotated[float, Option(help="0 takes the likeliest token each time; higher is freer.")]
Seed = Annotated[int | None, Option(help="Begin chance with this number, to get the same text again.")]


def mount(app: Typer) -> None:
    """Add these commands to the group."""
    app.command()(summarize)
    app.command()(translate)


@effects(READ)
def summarize(
    texts: Texts = None,
    model: Model = None,
    file: Annotated[Path | None, Option(help="Summarize this file as one text, UTF-8.")] = None,
    sentences: Annotated[int, Option(help="With an embedding model: take this many sentences.")] = 3,
    max_tokens: MaxTokens = 128,
    beams: Beams = 1,
    length_penalty: LengthPenalty = 1.0,
    temperature: Temperature = 0.0,
    seed: Seed = None,
    engine: Engine = None,
    device: Device = None,
) -> Stream[Summary]:
    """Say in short what texts say; each argument, or the whole file or standard input, is one text.

    A model made for it writes the summary, a model that continues texts is asked for it; without either the most
    central sentences of the text are taken, by an embedding model. The method is told. What is longer than a model
    reads is read in parts, whose summaries are summarized.

    Examples:
        ipfs-accel infer summarize --file report.txt --sentences 2
        cat article.txt | ipfs-accel infer summarize -q
    """
    options = RewriteOptions(max_tokens, beams, length_penalty, temperature)
    return node().inference.texts.rewriting.summarize(
        texts or [],
        sentences=sentences,
        options=options,
        seed=seed,
        file=file,
        model=model,
        engine=engine,
        device=device,
    )


@effects(READ)
def translate(
    texts: Texts = None,
    source: Annotated[str, Option("--from", help="The language of the texts, such as en.")] = "",
    target: Annotated[str, Option("--to", help="The language to write, such as de, pt-BR.")] = "",
    model: Model = None,
    file: Annotated[Path | None, Option(help="Translate the lines of this file, UTF-8.")] = None,
    max_tokens: MaxTokens = 256,
    beams: Beams = 1,
    length_penalty: LengthPenalty = 1.0,
    temperature: Temperature = 0.0,
    seed: Seed = None,
    batch: Annotated[int, Option(help="Sentences that go through the model at once.")] = 8,
    engine: Engine = None,
    device: Device = None,
) -> Stream[Translation]:
    """Write texts in another language, in their order; a text is translated sentence by sentence.

    A language that the model does not have is refused, with those that it has.

    Examples:
        ipfs-accel infer translate "The cat sees a red house." --from en --to fr
        ipfs-accel infer translate --file letter.txt --to fr --beams 4 -q > brief.txt
    """
    options = RewriteOptions(max_tokens, beams, length_penalty, temperature, source=source, target=target, batch=batch)
    return node().inference.texts.rewriting.translate(
        texts or [], options=options, seed=seed, file=file, model=model, engine=engine, device=device
    )
