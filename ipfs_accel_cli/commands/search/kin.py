"""Commands that compare what is kept with each other."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.core.effects import WRITE, effects
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.search.results import Duplicates, Similar


def mount(app: Typer) -> None:
    """Add the commands to the group."""
    app.command()(similar)
    app.command()(duplicates)


# Both write: the index takes in what changed since the last query.
@effects(WRITE)
def similar(
    reference: Annotated[str, Argument(metavar="CID", help="A document of the index, or the CID of a model.")],
    limit: Annotated[int, Option(help="How many at most.")] = 10,
) -> Similar:
    """Show what is most like a document: in meaning where there are vectors, else to the eye or by its words.

    Examples:
        ipfs-accel search similar bafk…
        ipfs-accel search similar bafy…/photo.jpg --limit 3
    """
    return node().search.similar(reference, limit)


@effects(WRITE)
def duplicates(
    kind: Annotated[list[str] | None, Option("--type", help="Only where one of these is among them.")] = None,
    least: Annotated[float, Option(help="Which share of their words texts must have in common.")] = 0.8,
) -> Duplicates:
    """Show what is there more than once: under several paths, as nearly the same text, or as the same picture.

    The store keeps the same bytes once, however many paths lead there; nothing is removed.

    Examples:
        ipfs-accel search duplicates
        ipfs-accel search duplicates --type image --json
    """
    return node().search.duplicates(kind or (), least)
