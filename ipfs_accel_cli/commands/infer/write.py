"""Commands that write text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.commands.infer.options import (
    Adapters,
    Compile,
    Device,
    Engine,
    Examples,
    MaxTokens,
    Model,
    PromptName,
    Schema,
    Seed,
    Shots,
    ShotsBy,
    Stats,
    Stop,
    Temperature,
    TopK,
    TopP,
    Var,
)
from ipfs_accel_cli.core.effects import READ, effects
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.infer.results import Generation
from ipfs_accel_cli.services.infer.writing.results import ChatAnswer
from ipfs_accel_cli.services.infer.writing.wish import Wish


def mount(app: Typer) -> None:
    """Add these commands to the group."""
    app.command()(generate)
    app.command()(chat)


@effects(READ, featured=True)
def generate(
    prompt: Annotated[str | None, Argument(help="The text to go on from; else standard input.")] = None,
    model: Model = None,
    max_tokens: MaxTokens = 128,
    temperature: Temperature = 0.0,
    top_p: TopP = 1.0,
    top_k: TopK = 0,
    seed: Seed = None,
    stop: Stop = None,
    json_schema: Schema = None,
    prompt_name: PromptName = None,
    var: Var = None,
    shots: Shots = None,
    examples: Examples = None,
    shots_by: ShotsBy = "similar",
    adapter: Adapters = None,
    compile: Compile = False,
    timeout: Annotated[float | None, Option(help="Give up after this many seconds, loading included.")] = None,
    engine: Engine = None,
    device: Device = None,
    stats: Stats = False,
) -> Generation:
    """Continue a prompt; the text appears as it is made.

    Examples:
        ipfs-accel infer generate "Once upon a time" --max-tokens 60
        ipfs-accel infer generate "One day," --temperature 0.8 --seed 7 --stop "The end." --json
        ipfs-accel infer generate "Once" -m stories --adapter rhymes:0.5 --timeout 30
        ipfs-accel infer generate "Name: Ada, born 1815" --schema person.json --max-tokens 200
        ipfs-accel infer generate "great film" --shots 2 --examples reviews.jsonl --stop "\\n"
    """
    return node().inference.generate(
        prompt,
        model=model,
        max_tokens=max_tokens,
        temperature=temperature,
        top_p=top_p,
        top_k=top_k,
        seed=seed,
        stop=tuple(stop or ()),
        schema=json_schema,
        prompt_name=prompt_name,
        var=tuple(var or ()),
        shots=shots,
        examples=examples,
        shots_by=shots_by,
        adapters=tuple(adapter or ()),
        compiled=compile,
        timeout=timeout,
        engine=engine,
        device=device,
        stats=stats,
    )


@effects(READ)
def chat(
    message: Annotated[
        str | None, Argument(help="What to say; else standard input; on a terminal without either, a conversation.")
    ] = None,
    system: Annotated[str | None, Option(help="What the model is told beforehand.")] = None,
    messages: Annotated[
        Path | None, Option(metavar="FILE", help="What was said before: JSON in OpenAI's messages format; - is stdin.")
    ] = None,
    template: Annotated[
        str | None, Option(metavar="NAME", help="For a model that brings no chat template: chatml or plain.")
    ] = None,
    model: Model = None,
    max_tokens: MaxTokens = 128,
    temperature: Temperature = 0.0,
    top_p: TopP = 1.0,
    top_k: TopK = 0,
    seed: Seed = None,
    stop: Stop = None,
    json_schema: Schema = None,
    prompt_name: PromptName = None,
    var: Var = None,
    shots: Shots = None,
    examples: Examples = None,
    shots_by: ShotsBy = "similar",
    adapter: Adapters = None,
    compile: Compile = False,
    timeout: Annotated[
        float | None, Option(help="Give up an answer after this many seconds; the first one loads the model.")
    ] = None,
    engine: Engine = None,
    device: Device = None,
    stats: Stats = False,
) -> ChatAnswer:
    """Answer a message, or hold a conversation on the terminal.

    In a conversation /help shows the commands, Ctrl-C stops an answer, and Ctrl-D ends it.

    Examples:
        ipfs-accel infer chat "What is 3 plus 4?"
        ipfs-accel infer chat --system "Answer briefly."
        ipfs-accel infer chat --messages talk.json --json
        ipfs-accel infer chat "Hello" -m talker --adapter polite:0.5 --timeout 30
        echo "Hello" | ipfs-accel infer chat -q
    """
    wish = Wish(
        model=model,
        max_tokens=max_tokens,
        temperature=temperature,
        top_p=top_p,
        top_k=top_k,
        seed=seed,
        stop=tuple(stop or ()),
        schema=json_schema,
        prompt_name=prompt_name,
        var=tuple(var or ()),
        shots=shots,
        examples=examples,
        shots_by=shots_by,
        adapters=tuple(adapter or ()),
        compiled=compile,
        timeout=timeout,
        engine=engine,
        device=device,
        stats=stats,
    )
    return node().inference.chats.chat(message, wish, system=system, messages=messages, template=template)
