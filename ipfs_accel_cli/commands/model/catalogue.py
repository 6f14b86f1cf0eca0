"""The command that lists the models which are known by name."""

from __future__ import annotations

from typing import Annotated

from typer import Option, Typer

from ipfs_accel_cli.commands.listing import Columns, Filter, Sort
from ipfs_accel_cli.core.effects import READ, effects
from ipfs_accel_cli.core.listing import chosen
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.model.catalogued import Catalogue


def mount(app: Typer) -> None:
    """Add the command to the group."""
    app.command()(catalogue)


@effects(READ)
def catalogue(
    task: Annotated[str | None, Option(help="Only models that can do this, such as transcribe.")] = None,
    where: Filter = None,
    sort: Sort = None,
    columns: Columns = None,
) -> Catalogue:
    """List the models that are known by name: what for, how good, how large, and the command that brings each.

    Every file of theirs is pinned by its sha-256. A toy is trained by a script of ours, knows its own small world and
    nothing else.

    Examples:
        ipfs-accel model catalogue
        ipfs-accel model catalogue --task transcribe
        ipfs-accel model catalogue --filter "kind=real AND here=false" --columns name,quality,bring
        ipfs-accel model catalogue --json
    """
    return chosen(node().models.suiting.catalogue(task), where=where, sort=sort, columns=columns)
