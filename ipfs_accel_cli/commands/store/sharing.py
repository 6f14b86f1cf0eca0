"""Commands that bring content to backends, and from there."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.commands.listing import Filter
from ipfs_accel_cli.commands.store.parameters import From, Reference
from ipfs_accel_cli.core.effects import WRITE, effects
from ipfs_accel_cli.core.stream import Stream
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.store.backends.results import Copied, Fetched
from ipfs_accel_cli.services.store.syncing.results import Synced

app = Typer()


def mount(group: Typer) -> None:
    """Add these commands to the group."""
    group.registered_commands.extend(app.registered_commands)


@app.command()
@effects(WRITE, network=True, detach=True)
def copy(
    reference: Reference,
    to: Annotated[list[str], Argument(metavar="NAME:[PATH]", help="Backends, each with a path where you like one.")],
    on: From = None,
) -> Stream[Copied]:
    """Send content to backends; what is there already does not travel, and what arrived is proven.

    A place that keeps files gets them under their own names, and beside them what a CID needs to be whole again there.

    Examples:
        ipfs-accel store copy bafy… cold:
        ipfs-accel store copy bafy… cold:models/tiny lab:
        ipfs-accel store copy bafy… lab: --on cold
    """
    return Stream(node().store.exchange.copy(reference, to, on))


@app.command()
@effects(WRITE, network=True, detach=True)
def fetch(
    reference: Reference,
    on: Annotated[
        str | None, Option("--on", metavar="NAME", help="The backend that has it, where the reference does not say.")
    ] = None,
) -> Fetched:
    """Bring a whole DAG from a backend into the store and keep it, every byte proven.

    Killed and run again it goes on where it was.

    Examples:
        ipfs-accel store fetch bafy… --on cold
        ipfs-accel store fetch cold:models/tiny
    """
    return node().store.exchange.fetch(reference, on)


@app.command()
@effects(WRITE, network=True, detach=True)
def sync(
    source: Annotated[str, Argument(metavar="SOURCE", help="here: for this store, or a backend, as in cold:")],
    destination: Annotated[
        str, Argument(metavar="DESTINATION", help="The same; a backend with a path where you like.")
    ],
    delete: Annotated[bool, Option("--delete", help="Also delete at the destination what the source lacks.")] = False,
    dry_run: Annotated[bool, Option("--dry-run", help="Only say what would be done.")] = False,
    keep: Annotated[
        bool, Option("--keep", help="Between two backends: keep here what passes through; else gc may have it.")
    ] = False,
    pinned: Annotated[bool, Option("--pinned", help="From here: only what is pinned.")] = False,
    where: Filter = None,
    force: Annotated[bool, Option("--force", help="Delete even where the source has nothing at all.")] = False,
) -> Stream[Synced]:
    """Bring what one place has to another, one way; what is there already does not travel.

    Whole DAGs are compared by their CIDs, from one listing of each place. One that fails does not stop the others,
    and then nothing is deleted. Killed and run again it goes on where it was.

    Examples:
        ipfs-accel store sync here: cold: --dry-run
        ipfs-accel store sync here: cold:models --filter "size<1GiB"
        ipfs-accel store sync cold: lab: --delete
    """
    return Stream(
        node().store.syncing.sync(
            source, destination, delete=delete, dry_run=dry_run, force=force, keep=keep, pinned=pinned, where=where
        )
    )
