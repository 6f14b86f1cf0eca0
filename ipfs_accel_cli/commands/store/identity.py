"""Identities of age: what was encrypted to one can be read with it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.core.effects import DELETE, READ, WRITE, effects
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.store.names.results import ExportedKey
from ipfs_accel_cli.services.store.sealed.results import AgeIdentities, AgeIdentity

app = Typer(help="Identities that encrypted content is opened with.", no_args_is_help=True)

IdentityName = Annotated[str, Argument(metavar="NAME", help="What the identity is called here.")]


@app.command()
@effects(WRITE, idempotent=False, exposed=False)
def new(name: IdentityName) -> AgeIdentity:
    """Make an age identity and show its recipient, which others encrypt to.

    It stays in the home folder, readable by its owner only, and is never overwritten. What was encrypted to it alone is
    lost with it: keep a copy.

    Examples:
        ipfs-accel store identity new me
    """
    return node().store.sealed.identities.new(name)


@app.command()
@effects(READ)
def ls() -> AgeIdentities:
    """List the identities by their recipients.

    Examples:
        ipfs-accel store identity ls
    """
    return node().store.sealed.identities.list()


@app.command()
@effects(DELETE, idempotent=False, exposed=False)
def rm(name: IdentityName) -> AgeIdentity:
    """Delete an identity for good; without a copy, nothing that was encrypted to it alone can be read again.

    Examples:
        ipfs-accel store identity rm me
    """
    return node().store.sealed.identities.remove(name)


@app.command()
@effects(WRITE, exposed=False)
def export(
    name: IdentityName,
    output: Annotated[Path, Option("--output", "-o", metavar="FILE", help="The file to write, for its owner only.")],
) -> ExportedKey:
    """Write an identity to a file as age-keygen does: keep that file safe.

    Examples:
        ipfs-accel store identity export me -o me.txt
    """
    return node().store.sealed.identities.export(name, output)


@app.command("import")
@effects(WRITE, idempotent=False, exposed=False)
def import_identity(
    name: IdentityName,
    file: Annotated[Path, Argument(metavar="FILE", help="A file with one identity, as age-keygen writes it.")],
) -> AgeIdentity:
    """Keep the identity in a file; one that is here is never overwritten.

    Examples:
        ipfs-accel store identity import me me.txt
    """
    return node().store.sealed.identities.take(name, file)
