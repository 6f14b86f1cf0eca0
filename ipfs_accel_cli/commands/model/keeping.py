"""Commands that decide what is kept of models, and what is remembered about them here."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.commands.model.parameters import Name
from ipfs_accel_cli.core.effects import DELETE, WRITE, effects
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.model.prune_results import Pruned
from ipfs_accel_cli.services.model.results import Meta


def mount(app: Typer) -> None:
    """Add these commands to the group."""
    for command in (meta, prune):
        app.command()(command)


@effects(WRITE)
def meta(
    name: Name,
    settings: Annotated[
        list[str] | None, Argument(metavar="KEY=VALUE", help="Notes to set; without any, those on the model are shown.")
    ] = None,
    unset: Annotated[
        list[str] | None, Option("--unset", metavar="KEY", help="Take this note off; may be given again.")
    ] = None,
) -> Meta:
    """Show and set notes on a model; `model ls --filter meta.KEY=VALUE` finds it by them.

    They belong to the version that the name means, and stay in this home: they are neither signed nor exported.

    Examples:
        ipfs-accel model meta story-model stage=prod owner=ada
        ipfs-accel model meta story-model --unset owner
        ipfs-accel model ls --filter meta.stage=prod --columns name,version,meta.stage
    """
    return node().models.notes.change(name, settings or [], unset or [])


@effects(DELETE)
def prune(
    names: Annotated[
        list[str] | None, Argument(help="Only old versions of these names; all names, and downloads, if left out.")
    ] = None,
    keep: Annotated[int, Option(min=1, help="How many versions of each name stay, the newest first.")] = 1,
    older_than: Annotated[
        str | None, Option("--older-than", metavar="TIME", help="Only what is older than this: 12h, 30d, 2w.")
    ] = None,
    dry_run: Annotated[bool, Option("--dry-run", help="Only say what would go, and how many bytes.")] = False,
    gc: Annotated[bool, Option("--gc", help="Then delete the content that nothing needs any more.")] = False,
) -> Pruned:
    """Take old versions off names, and throw interrupted downloads away.

    What a name or an alias means, what is in use, and what a version that stays builds on is never taken. The content
    stays in the store until `model gc`, or --gc.

    Examples:
        ipfs-accel model prune --dry-run
        ipfs-accel model prune --keep 3 --older-than 30d --gc
        ipfs-accel model prune story-model
    """
    return node().models.pruner.prune(names or [], keep, older_than, dry_run=dry_run, collect=gc)
