"""Commands that run commands of inference in a row."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.core.effects import READ, WRITE, declared_effects, effects
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.infer.pipeline.drawing import Language
from ipfs_accel_cli.services.infer.pipeline.results import PipelineChecked, PipelineGraph, PipelineRun

if TYPE_CHECKING:
    from ipfs_accel_cli.services.infer.pipeline.kinds import Kind

app = Typer(help="Run commands of inference in a row, as a file says.", no_args_is_help=True)

# They keep, measure or name things, and give no answer that a step could go on with.
_NO_STEPS = frozenset({"pipeline", "bench", "prompt", "endpoint", "batch", "calibrate"})
File = Annotated[Path, Argument(metavar="FILE.toml", help="The pipeline: its inputs, steps and outputs.")]


def mount(group: Typer) -> None:
    """Add these commands to the group."""
    group.add_typer(app, name="pipeline")


@app.command()
@effects(WRITE)
def run(
    file: File,
    given: Annotated[
        list[str] | None, Option("--input", "-i", metavar="NAME=VALUE", help="An input; may be given several times.")
    ] = None,
    save: Annotated[Path | None, Option(metavar="FOLDER", help="Write the outputs into this folder, too.")] = None,
    fresh: Annotated[bool, Option("--fresh", help="Run every step, also those whose answers are kept.")] = False,
) -> PipelineRun:
    """Run a pipeline: what a step gave is kept by its content address, and not computed again.

    A step is any command of `infer`, with its options by their names. Killed and run again, a run goes on where it was.

    Examples:
        ipfs-accel infer pipeline run minutes.toml --input recording=talk.wav
        ipfs-accel infer pipeline run minutes.toml -i recording=talk.wav --save out --json
    """
    return node().inference.pipelines.run(file, kinds(), given or [], save=save, fresh=fresh)


@app.command()
@effects(READ)
def check(file: File) -> PipelineChecked:
    """Check a pipeline without running it: its commands, their options, the types between them, and its models.

    Examples:
        ipfs-accel infer pipeline check minutes.toml
        ipfs-accel infer pipeline check minutes.toml --json
    """
    return node().inference.pipelines.check(file, kinds())


@app.command()
@effects(READ)
def graph(
    file: File,
    language: Annotated[Language, Option(help="mermaid, as many pages draw it, or dot for Graphviz.")] = "mermaid",
) -> PipelineGraph:
    """Draw a pipeline: what flows from where to where.

    Examples:
        ipfs-accel infer pipeline graph minutes.toml -q
        ipfs-accel infer pipeline graph minutes.toml --language dot -q | dot -Tsvg > minutes.svg
    """
    return node().inference.pipelines.graph(file, language)


@cache
def kinds() -> dict[str, Kind]:
    """Return what steps can run: the commands of `infer`, by their names."""
    from ipfs_accel_cli.commands import infer
    from ipfs_accel_cli.services.infer.pipeline.kinds import of_command

    found: dict[str, Kind] = {}

    def walk(group: Typer, before: str) -> None:
        for command in group.registered_commands:
            assert command.callback is not None
            name = before + (command.name or command.callback.__name__.replace("_", "-"))
            # What an assistant may not call, it may not call by way of a pipeline.
            wanted = name not in _NO_STEPS and declared_effects(command.callback).exposed
            kind = of_command(name, command.callback) if wanted else None
            if kind is not None:
                found[name] = kind
        for inner in group.registered_groups:
            if inner.typer_instance is not None and inner.name not in _NO_STEPS:
                walk(inner.typer_instance, f"{before}{inner.name} ")

    walk(infer.app, "")
    return found
