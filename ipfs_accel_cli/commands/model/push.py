"""The command that hands a model to another place."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.commands.model.parameters import Name
from ipfs_accel_cli.core.effects import WRITE, Pathlike, effects
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.model.push_results import Pushed


def mount(app: Typer) -> None:
    """Add this command to the group."""
    app.command()(push)


@effects(WRITE, network=True, detach=True)
def push(
    name: Name,
    target: Annotated[
        str,
        Pathlike(always=True),
        Argument(
            help="hf://org/name[@branch], oci://registry/repository[:tag], the path of a folder, or BACKEND:[path]."
        ),
    ],
    create: Annotated[
        bool, Option("--create", help="Make the repository or the branch on the hub where it is missing.")
    ] = False,
    private: Annotated[bool, Option("--private", help="Make the repository a private one.")] = False,
    dry_run: Annotated[bool, Option("--dry-run", help="Only say what would be sent, and how many bytes.")] = False,
) -> Pushed:
    """Hand a model to a hub, an OCI registry, a folder or a backend, with its manifest and what is said of it.

    Only what is missing there is sent, what arrived is compared, and a push that broke off goes on. Assistants push to
    folders and to backends of `store backend ls` only.

    Examples:
        ipfs-accel model push story-model hf://org/story-model --create --private
        ipfs-accel model push story-model oci://ghcr.io/org/story-model:v1 --dry-run
        ipfs-accel model push story-model ./shared/story-model
        ipfs-accel model push story-model cold:models/story
        ipfs-accel model push story-model lab:
    """
    return node().models.pushes.push(name, target, create=create, private=private, dry_run=dry_run)
