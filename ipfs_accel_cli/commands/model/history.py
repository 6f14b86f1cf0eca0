"""Commands about the names of models over time, and about how models differ."""

from __future__ import annotations

from typing import Annotated, Literal

from typer import Argument, Option, Typer

from ipfs_accel_cli.commands.listing import Columns, Filter, Sort
from ipfs_accel_cli.commands.model.parameters import Name
from ipfs_accel_cli.core.effects import READ, WRITE, effects
from ipfs_accel_cli.core.listing import chosen
from ipfs_accel_cli.core.results import Blob
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.model.compare_results import Deduplication, Difference
from ipfs_accel_cli.services.model.history_results import Aliases, RolledBack, Versions
from ipfs_accel_cli.services.model.lineage_results import Lineage

Tensors = Annotated[bool, Option("--tensors", help="Also compare the bytes of tensors, which reads the weights.")]


def mount(app: Typer) -> None:
    """Add these commands to the group."""
    for command in (versions, alias, rollback, diff, dedup, lineage, card):
        app.command()(command)


@effects(READ)
def versions(name: Name, where: Filter = None, sort: Sort = None, columns: Columns = None) -> Versions:
    """List the versions of a name, the newest first.

    Examples:
        ipfs-accel model versions story-model
        ipfs-accel model versions story-model -q
        ipfs-accel model versions story-model --filter "created>=2026-01-31"
    """
    return chosen(node().models.history.versions(name), where=where, sort=sort, columns=columns)


@effects(READ)
def alias(where: Filter = None, sort: Sort = None, columns: Columns = None) -> Aliases:
    """List the aliases and what they mean; `model tag` sets and moves one, `model rm` takes it off.

    Examples:
        ipfs-accel model alias
        ipfs-accel model alias --filter name=story-model
    """
    return chosen(node().models.history.aliases(), where=where, sort=sort, columns=columns)


@effects(WRITE, idempotent=False)
def rollback(
    name: Annotated[str, Argument(help="A plain name, without a version.")],
    to: Annotated[
        int | None, Option(min=1, metavar="VERSION", help="The version to go back to, else the one before.")
    ] = None,
) -> RolledBack:
    """Let a name mean the model of an earlier version again.

    That becomes a new version, so nothing is lost and going forward is a rollback as well.

    Examples:
        ipfs-accel model rollback story-model
        ipfs-accel model rollback story-model --to 1
    """
    return node().models.history.rollback(name, to)


@effects(READ)
def diff(
    before: Annotated[str, Argument(help="A name, name@version, alias, CID, or pulled reference.")],
    after: Annotated[str, Argument(help="The same, of the other model.")],
    tensors: Tensors = False,
) -> Difference:
    """Show how two models differ: files, settings in JSON files, tensors.

    Examples:
        ipfs-accel model diff story-model@1 story-model@2
        ipfs-accel model diff base tuned --tensors
    """
    return node().models.contents.diff(before, after, read=tensors)


@effects(READ)
def dedup(
    names: Annotated[
        list[str] | None, Argument(help="The models to compare; all versions of all names if left out.")
    ] = None,
    tensors: Tensors = False,
) -> Deduplication:
    """Show what models share: files, blocks and, with --tensors, tensors.

    Each file is stored once whatever holds it; the rest says what more could be had.

    Examples:
        ipfs-accel model dedup
        ipfs-accel model dedup base tuned --tensors
    """
    return node().models.contents.dedup(names or [], read=tensors)


@effects(READ)
def lineage(
    name: Name,
    graph: Annotated[
        Literal["mermaid", "dot"], Option(help="The language of the drawing, which -q prints.")
    ] = "mermaid",
) -> Lineage:
    """Show where a model comes from: source, stated bases, what it replaced, what was made of it.

    Examples:
        ipfs-accel model lineage story-model
        ipfs-accel model lineage story-model --graph dot -q
    """
    return node().models.history.lineage(name, graph)


@effects(READ)
def card(name: Name) -> Blob:
    """Write a model card in Markdown of what is known, and say what is not.

    Examples:
        ipfs-accel model card story-model
    """
    return node().models.history.card(name)
