"""IPNS keys: whoever has one can say where its name leads."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from typer import Argument, Option, Typer

from ipfs_accel_cli.core.effects import DELETE, READ, WRITE, effects
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.store.names.results import ExportedKey, Key, Keys

app = Typer(help="Keys of IPNS names.", no_args_is_help=True)

KeyName = Annotated[str, Argument(metavar="NAME", help="What the key is called here.")]


@app.command()
@effects(WRITE, idempotent=False, exposed=False)
def new(name: KeyName) -> Key:
    """Make an Ed25519 key; the name that it signs for follows from it.

    It stays in the home folder, readable by its owner only, and is never overwritten.

    Examples:
        ipfs-accel store key new site
    """
    return node().store.names.keys.new(name)


@app.command()
@effects(READ)
def ls() -> Keys:
    """List the keys by their IPNS names.

    Examples:
        ipfs-accel store key ls
    """
    return node().store.names.keys.list()


@app.command()
@effects(DELETE, idempotent=False, exposed=False)
def rm(name: KeyName) -> Key:
    """Delete a key for good; without a copy, nobody can ever move its name again.

    Examples:
        ipfs-accel store key rm site
    """
    return node().store.names.keys.remove(name)


@app.command()
@effects(WRITE, exposed=False)
def export(
    name: KeyName,
    output: Annotated[Path, Option("--output", "-o", metavar="FILE", help="The file to write, for its owner only.")],
    form: Annotated[
        Literal["pem", "libp2p-protobuf-cleartext"],
        Option("--format", help="PKCS #8 in PEM, or the form that Kubo writes unless told otherwise."),
    ] = "pem",
) -> ExportedKey:
    """Write a private key to a file, as it is: keep that file safe.

    Examples:
        ipfs-accel store key export site -o site.pem
        ipfs-accel store key export site -o site.key --format libp2p-protobuf-cleartext
    """
    return node().store.names.keys.export(name, output, form)


@app.command("import")
@effects(WRITE, idempotent=False, exposed=False)
def import_key(
    name: KeyName,
    file: Annotated[Path, Argument(metavar="FILE", help="PKCS #8 in PEM, or libp2p's protobuf.")],
) -> Key:
    """Keep a private key out of a file, which may be Kubo's; a key that is here is never overwritten.

    Examples:
        ipfs-accel store key import site site.key
    """
    return node().store.names.keys.take(name, file)
