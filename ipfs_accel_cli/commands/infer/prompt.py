"""Commands that keep prompt templates."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.commands.infer.options import Device, Engine, Examples, Shots, ShotsBy, Var
from ipfs_accel_cli.core.effects import DELETE, READ, WRITE, effects
from ipfs_accel_cli.core.stream import Stream
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.infer.prompts.results import (
    PromptListed,
    PromptRendered,
    PromptShown,
    PromptsRemoved,
    PromptTested,
)
from ipfs_accel_cli.services.infer.writing.wish import Wish

app = Typer(help="Keep prompt templates as content, fill them in, test them.", no_args_is_help=True)

Name = Annotated[str, Argument(metavar="NAME", help="A template's name, or NAME@VERSION.")]


def mount(group: Typer) -> None:
    """Add these commands to the group."""
    group.add_typer(app, name="prompt")


@app.command()
@effects(WRITE)
def add(
    name: Annotated[str, Argument(metavar="NAME", help="What to call it; a name that is there gets a new version.")],
    file: Annotated[Path, Argument(metavar="FILE", help="The template: front matter and jinja2; - is standard input.")],
) -> PromptShown:
    """Keep a prompt template under its CID.

    Front matter between lines of three dashes may have description, variables (a list, or names with defaults),
    system and examples (a list of input and output).

    Examples:
        ipfs-accel infer prompt add summary summary.md
        echo 'Translate to German: {{ input }}' | ipfs-accel infer prompt add german -
    """
    return node().inference.prompts.add(name, file)


@app.command()
@effects(READ)
def ls(
    every: Annotated[bool, Option("--all", help="Every version of each, not only the newest.")] = False,
) -> Stream[PromptListed]:
    """List the prompt templates.

    Examples:
        ipfs-accel infer prompt ls
        ipfs-accel infer prompt ls --all --json
    """
    return node().inference.prompts.ls(all_versions=every)


@app.command()
@effects(READ)
def show(name: Name) -> PromptShown:
    """Show a prompt template and its variables.

    Examples:
        ipfs-accel infer prompt show german
        ipfs-accel infer prompt show german@1 -q > german.md
    """
    return node().inference.prompts.show(name)


@app.command()
@effects(READ)
def render(
    name: Name,
    text: Annotated[str | None, Argument(help="The variable `input`, where the template has it.")] = None,
    var: Var = None,
    shots: Shots = None,
    examples: Examples = None,
    shots_by: ShotsBy = "similar",
) -> PromptRendered:
    """Fill in a prompt template and show what a model would be given.

    Examples:
        ipfs-accel infer prompt render german "Good morning"
        ipfs-accel infer prompt render summary --var words=20 --var text="A long text" -q
    """
    wish = Wish(var=tuple(var or ()), shots=shots, examples=examples, shots_by=shots_by)
    return node().inference.prompts.render(name, text, wish)


@app.command("test")
@effects(READ)
def try_cases(
    name: Name,
    cases: Annotated[
        Path, Option("--set", metavar="FILE", help='JSON lines: {"vars": {…}, "expect": {"contains": "…"}}.')
    ],
    model: Annotated[
        str | None, Option("--model", "-m", help="Let this model go on from each; else the filled-in text is compared.")
    ] = None,
    max_tokens: Annotated[int, Option(help="Let the model write this much at most.")] = 128,
    stop: Annotated[list[str] | None, Option(help="End before this text; may be given several times.")] = None,
    schema: Annotated[str | None, Option(metavar="FILE", help="Hold the model to this JSON Schema.")] = None,
    engine: Engine = None,
    device: Device = None,
) -> PromptTested:
    """Compare what comes of a prompt template with what is expected; status 4 when some cases fail.

    Each case expects contains, equals, regex or schema, or several of them.

    Examples:
        ipfs-accel infer prompt test german --set cases.jsonl
        ipfs-accel infer prompt test german --set cases.jsonl --model chat-model
    """
    wish = Wish(model=model, max_tokens=max_tokens, stop=tuple(stop or ()), schema=schema, engine=engine, device=device)
    return node().inference.prompts.test(name, cases, wish)


@app.command()
@effects(DELETE)
def rm(name: Name) -> PromptsRemoved:
    """Stop keeping a prompt template: all versions of a name, or one.

    Examples:
        ipfs-accel infer prompt rm german
        ipfs-accel infer prompt rm german@1
    """
    return node().inference.prompts.remove(name)
