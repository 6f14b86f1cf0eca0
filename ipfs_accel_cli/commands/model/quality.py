"""Commands about how good models are and how fast they were."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.commands.listing import Columns, Filter, Sort
from ipfs_accel_cli.commands.model.parameters import Name
from ipfs_accel_cli.core.effects import READ, WRITE, effects
from ipfs_accel_cli.core.listing import chosen
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.model.evaluating.perf_results import Compared, Performance
from ipfs_accel_cli.services.model.evaluating.results import Evaluated
from ipfs_accel_cli.services.model.evaluating.wanted import Wanted

SetFile = Annotated[Path, Argument(metavar="SET", help="A file of JSON lines: input, expected, and an id if you like.")]
Engine = Annotated[str | None, Option(help="Run it with this engine, such as torch; else the one that fits best.")]
Device = Annotated[str | None, Option(help="Run it here: cpu, cuda, cuda:0, mps; else where it fits best.")]
Limit = Annotated[int | None, Option(min=1, help="Ask only the first so many items.")]


def mount(app: Typer) -> None:
    """Add these commands to the group."""
    app.command("eval")(evaluate)
    app.command()(perf)
    app.command()(compare)


@effects(WRITE, detach=True)
def evaluate(
    name: Name,
    set_file: SetFile,
    metric: Annotated[
        list[str] | None,
        Option(help="Measure this, such as f1, accuracy, cosine or perplexity; several may be given. Else what suits."),
    ] = None,
    threshold: Annotated[
        list[str] | None, Option(help="End with status 4 unless this holds, such as 'f1>=0.8'; several may be given.")
    ] = None,
    engine: Engine = None,
    device: Device = None,
    limit: Limit = None,
    max_tokens: Annotated[int, Option(min=1, help="The most tokens of a generated answer.")] = 64,
    stop: Annotated[list[str] | None, Option(help="End a generated answer before this text.")] = None,
    window: Annotated[int, Option(min=2, help="Tokens that are read at once for a perplexity.")] = 1024,
    golden: Annotated[
        Path | None, Option(help="Write the answers to this file, as a set that expects just them.")
    ] = None,
    keep_set: Annotated[bool, Option("--keep-set/--no-keep-set", help="Keep the set in the store.")] = True,
    again: Annotated[bool, Option("--again", help="Ask also what was answered before.")] = False,
) -> Evaluated:
    """Measure how good a model's answers to a set are; exit status 4 when a threshold is not met.

    Answers are kept as they come, so an interrupted run goes on where it was. The page on evaluation says what a set
    looks like and what each metric is.

    Examples:
        ipfs-accel model eval topics questions.jsonl --threshold 'accuracy>=0.9'
        ipfs-accel model eval story-model stories.jsonl --metric perplexity
        ipfs-accel model eval minilm inputs.jsonl --golden answers.jsonl
    """
    wanted = Wanted(
        metrics=metric or [],
        thresholds=threshold or [],
        engine=engine,
        device=device,
        limit=limit,
        max_tokens=max_tokens,
        stop=stop or [],
        window=window,
        golden=golden,
        keep_set=keep_set,
        again=again,
    )
    return node().models.evaluations.evaluate(name, set_file, wanted)


@effects(READ)
def perf(
    names: Annotated[list[str] | None, Argument(help="The models; all if left out.")] = None,
    since: Annotated[
        str | None, Option(metavar="WHEN", help="Only what was measured since a date or time, or so long ago: 12h, 7d.")
    ] = None,
    where: Filter = None,
    sort: Sort = None,
    columns: Columns = None,
) -> Performance:
    """Show what was measured of models on which machine and engine, the newest first; measures nothing itself.

    Speeds come from runs with --stats, `hw fit --measure` and `infer calibrate`, quality from `model eval`.

    Examples:
        ipfs-accel model perf
        ipfs-accel model perf story-model --since 7d
        ipfs-accel model perf --filter "figure=tokens_s AND here=yes" --sort -value
    """
    found = node().models.perf.perf(names or [], since, datetime.now(UTC))
    return chosen(found, where=where, sort=sort, columns=columns)


@effects(WRITE)
def compare(
    a: Annotated[str, Argument(metavar="A", help="A name, name@version, alias, CID, or pulled reference.")],
    b: Annotated[str, Argument(metavar="B", help="The same, of the model that is judged.")],
    set_file: Annotated[
        Path | None, Option("--set", metavar="SET", help="Ask both this set, unless they were asked it before.")
    ] = None,
    metric: Annotated[list[str] | None, Option(help="Compare only by this; may be given several times.")] = None,
    engine: Engine = None,
    device: Device = None,
    max_tokens: Annotated[int, Option(min=1, help="The most tokens of a generated answer.")] = 64,
    fail_if_worse: Annotated[
        bool, Option("--fail-if-worse", help="End with status 4 where B answers worse beyond the noise.")
    ] = False,
) -> Compared:
    """Put two models side by side: size, dtype, quality on the same items, speed, memory.

    A difference in quality counts when it is larger than drawing other items would explain.

    Examples:
        ipfs-accel model compare base tuned
        ipfs-accel model compare base tuned --set questions.jsonl --fail-if-worse
    """
    wanted = Wanted(metrics=metric or [], engine=engine, device=device, max_tokens=max_tokens)
    return node().models.comparing.compare(a, b, set_file, wanted, fail_if_worse=fail_if_worse)
