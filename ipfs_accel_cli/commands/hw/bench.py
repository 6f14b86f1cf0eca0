"""Commands that measure how fast this machine is."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.core.effects import READ, WRITE, effects
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.hw.bench.results import Compared, Run, Runs, Tuned

app = Typer(help="Measure this machine, keep the figures, compare them.", no_args_is_help=True)

Quick = Annotated[bool, Option("--quick", help="Fewer samples of less data: a first look, and noisier.")]
Name = Annotated[str, Argument(metavar="RUN", help="An id, latest, previous, or a FILE.json of `--json`.")]


def mount(group: Typer) -> None:
    """Add these commands to the group."""
    group.add_typer(app, name="bench")
    group.command()(tune)


@app.command()
@effects(WRITE, idempotent=False)
def cpu(quick: Quick = False) -> Run:
    """Measure products of matrices on the processor, by dtype.

    Examples:
        ipfs-accel hw bench cpu
        ipfs-accel hw bench cpu --quick --json
    """
    return node().benches.run("cpu", quick=quick)


@app.command()
@effects(WRITE, idempotent=False)
def memory(quick: Quick = False) -> Run:
    """Measure how fast memory is read and copied; `hw fit` then estimates speeds from it.

    Examples:
        ipfs-accel hw bench memory
    """
    return node().benches.run("memory", quick=quick)


@app.command()
@effects(WRITE, idempotent=False)
def disk(quick: Quick = False) -> Run:
    """Measure the disk under the home folder: writes that are synced, reads past the cache, small reads.

    Examples:
        ipfs-accel hw bench disk
    """
    return node().benches.run("disk", quick=quick)


@app.command()
@effects(WRITE, idempotent=False)
def content(quick: Quick = False) -> Run:
    """Measure what content addressing does here: sha-256, CIDs, blocks put and got.

    Examples:
        ipfs-accel hw bench content
    """
    return node().benches.run("content", quick=quick)


@app.command()
@effects(WRITE, idempotent=False)
def network(quick: Quick = False) -> Run:
    """Measure TCP over loopback: throughput, and the time of a round trip.

    Examples:
        ipfs-accel hw bench network
    """
    return node().benches.run("network", quick=quick)


@app.command()
@effects(WRITE, idempotent=False)
def accelerator(quick: Quick = False) -> Run:
    """Measure products of matrices on every accelerator that torch or WebGPU reaches.

    Examples:
        ipfs-accel hw bench accelerator
    """
    return node().benches.run("accelerator", quick=quick)


@app.command("all")
@effects(WRITE, idempotent=False)
def everything(quick: Quick = False) -> Run:
    """Measure all of it, one kind after the other.

    Examples:
        ipfs-accel hw bench all --quick
        ipfs-accel hw bench all --json > before.json
    """
    return node().benches.run("all", quick=quick)


@app.command()
@effects(READ)
def ls(limit: Annotated[int, Option(min=1, max=1000, help="At most so many.")] = 50) -> Runs:
    """List the runs that were kept, the newest first.

    Examples:
        ipfs-accel hw bench ls
    """
    return node().benches.ls(limit)


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
    """Compare two runs; exit status 4 when a figure is worse beyond the noise.

    `previous latest` compares the newest run with the one before it of the same kind.

    Examples:
        ipfs-accel hw bench compare
        ipfs-accel hw bench compare before.json latest
    """
    return node().benches.compare(before, after)


@effects(WRITE, idempotent=False)
def tune(
    quick: Quick = False,
    show: Annotated[bool, Option("--show", help="Only tell what was tuned.")] = False,
    reset: Annotated[bool, Option("--reset", help="Go back to the defaults.")] = False,
) -> Tuned:
    """Measure threads, dtype and hashing on this machine, and keep what is faster than the defaults.

    What does not win by more than the noise stays as it is. Settings and options that you give always come first.

    Examples:
        ipfs-accel hw tune
        ipfs-accel hw tune --show
    """
    if reset:
        return node().benches.reset()
    return node().benches.tuned() if show else node().benches.tune(quick=quick)
