"""Commands that compare what is kept with each other."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.core.effects import WRITE, effects
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.search.kin_results import Duplicates, Recommended, Similar


def mount(app: Typer) -> None:
    """Add the commands to the group."""
    app.command()(similar)
    app.command()(duplicates)
    app.command()(recommend)


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
    tensors: Annotated[bool, Option("--tensors", help="Read all models, too, and tell which share tensors.")] = False,
) -> Duplicates:
    """Show what is there more than once: under several paths, as nearly the same text, or as the same picture.

    The store keeps the same bytes once, however many paths lead there; nothing is removed.

    Examples:
        ipfs-accel search duplicates
        ipfs-accel search duplicates --type image --json
        ipfs-accel search duplicates --type model --tensors
    """
    return node().search.duplicates(kind or (), least, tensors=tensors)


@effects(WRITE)
def recommend(
    reference: Annotated[
        str | None, Argument(metavar="CID", help="Beside this document or model; else beside what was done last.")
    ] = None,
    limit: Annotated[int, Option(help="How many at most.")] = 10,
) -> Recommended:
    """Show what may be of interest next, and why: by likeness, tags and facts in common.

    Without a CID it goes by what was kept, registered and tagged here of late; that is known to this machine alone.

    Examples:
        ipfs-accel search recommend
        ipfs-accel search recommend bafy… --limit 3
    """
    return node().search.recommend(reference, limit)
