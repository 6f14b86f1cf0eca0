"""Commands that measure how fast this machine is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.commands.listing import Columns, Filter, Sort
from ipfs_accel_cli.core.effects import READ, WRITE, effects
from ipfs_accel_cli.core.listing import chosen
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.hw.bench.results import Compared, Kind, Run, Runs, Tuned

app = Typer(help="Measure this machine, keep the figures, compare them.", no_args_is_help=True)

Quick = Annotated[bool, Option("--quick", help="Fewer samples of less data: a first look, and noisier.")]
Repeat = Annotated[
    int | None, Option(min=2, max=1000, help="Samples of each figure; up to 7 in a few seconds without.")
]
Size = Annotated[
    str | None, Option(help="Bytes to move for a figure, 1MiB to 64GiB; of memory, the size of each of three arrays.")
]
Name = Annotated[str, Argument(metavar="RUN", help="An id, latest, previous, or a FILE.json of `--json`.")]


def mount(group: Typer) -> None:
    """Add these commands to the group."""
    group.add_typer(app, name="bench")
    group.command()(tune)


# What each kind measures, and examples of its options.
_KINDS: tuple[tuple[Kind, str, tuple[str, ...]], ...] = (
    ("cpu", "Measure products of matrices on the processor, by dtype.", ("", "--quick --json")),
    (
        "memory",
        "Measure how fast memory is read and copied; `hw fit` then estimates speeds from it.",
        ("", "--size 1GiB --repeat 20"),
    ),
    (
        "disk",
        "Measure the disk under the home folder: writes that are synced, reads past the cache, small reads.",
        ("", "--size 4GiB"),
    ),
    ("content", "Measure what content addressing does here: sha-256, CIDs, blocks put and got.", ("",)),
    ("network", "Measure TCP over loopback: throughput, and the time of a round trip.", ("",)),
    ("accelerator", "Measure products of matrices on every accelerator that torch or WebGPU reaches.", ("",)),
    ("all", "Measure all of it, one kind after the other.", ("--quick", "--json > before.json")),
)
# Products have no size in bytes to choose.
_UNSIZED = ("cpu", "accelerator")


def _measuring(kind: Kind, about: str, examples: Sequence[str]) -> Callable[..., Run]:
    """Return the command that measures a kind."""

    def plain(quick: Quick = False, repeat: Repeat = None) -> Run:
        return node().benches.run(kind, quick=quick, repeat=repeat)

    def sized(quick: Quick = False, repeat: Repeat = None, size: Size = None) -> Run:
        return node().benches.run(kind, quick=quick, repeat=repeat, size=size)

    made = plain if kind in _UNSIZED else sized
    made.__name__ = made.__qualname__ = kind
    lines = [f"    ipfs-accel hw bench {kind} {options}".rstrip() for options in examples]
    made.__doc__ = "\n".join([about, "", "Examples:", *lines])
    return effects(WRITE, idempotent=False, detach=True)(made)


for _kind, _about, _examples in _KINDS:
    app.command(_kind)(_measuring(_kind, _about, _examples))


@app.command()
@effects(READ)
def ls(
    limit: Annotated[int, Option(min=1, max=1000, help="At most so many.")] = 50,
    where: Filter = None,
    sort: Sort = None,
    columns: Columns = None,
) -> Runs:
    """List the runs that were kept, the newest first.

    Examples:
        ipfs-accel hw bench ls
        ipfs-accel hw bench ls --filter "kind=disk AND noisy=no" --limit 5
    """
    every = where is not None or sort is not None
    return chosen(node().benches.ls(None if every else limit), where=where, sort=sort, columns=columns, limit=limit)


@app.command()
@effects(READ)
def show(run: Name = "latest") -> Run:
    """Show a run again.

    Examples:
        ipfs-accel hw bench show latest
    """
    return node().benches.show(run)


@app.command()
@effects(READ)
def compare(
    before: Annotated[
        str, Argument(metavar="BEFORE", help="The run to compare with, as `show` takes it.")
    ] = "previous",
    after: Annotated[str, Argument(metavar="AFTER", help="The run to judge.")] = "latest",
) -> Compared:
    """Compare two runs; exit status 4 when a figure is worse beyond the noise, or gone.

    `previous latest` compares the newest run with the one before it of the same kind.

    Examples:
        ipfs-accel hw bench compare
        ipfs-accel hw bench compare before.json latest
    """
    return node().benches.compare(before, after)


@effects(WRITE, idempotent=False, detach=True)
def tune(
    quick: Quick = False,
    show: Annotated[bool, Option("--show", help="Only tell what was tuned.")] = False,
    reset: Annotated[bool, Option("--reset", help="Go back to the defaults.")] = False,
    model: Annotated[
        str | None,
        Option(help="Measure threads and dtype on this model, as it reads texts, not on layers like its own."),
    ] = None,
) -> Tuned:
    """Measure threads, dtype and hashing on this machine, and keep what is faster than the defaults.

    What does not win by more than the noise stays as it is. Settings and options that you give always come first.

    Examples:
        ipfs-accel hw tune
        ipfs-accel hw tune --model minilm
        ipfs-accel hw tune --show
    """
    if reset:
        return node().benches.reset()
    return node().benches.tuned() if show else node().benches.tune(quick=quick, model=model)
