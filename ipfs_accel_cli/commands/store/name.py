"""IPNS names: where they lead, and records that say so."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.commands.listing import Columns, Filter, Sort
from ipfs_accel_cli.core.effects import READ, WRITE, effects
from ipfs_accel_cli.core.listing import chosen
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.store.names.results import (
    InspectedName,
    NameList,
    Published,
    RecordFile,
    ResolvedName,
    VerifiedName,
)

app = Typer(help="Names that can be moved from one content to another (IPNS).", no_args_is_help=True)

Name = Annotated[str, Argument(metavar="NAME", help="k51…, a peer id, /ipns/NAME, or what a key is called here.")]
Stated = Annotated[
    str | None,
    Option("--name", metavar="NAME", help="The name it belongs to; else that in the record or its file name."),
]
RecordPath = Annotated[Path, Argument(metavar="FILE", help="A file with one record.")]


@app.command()
@effects(WRITE, network=True, idempotent=False, exposed=False)
def publish(
    key: Annotated[str, Argument(metavar="KEY", help="The key that signs.")],
    target: Annotated[str, Argument(metavar="CID[/PATH]", help="Where the name shall lead; also /ipns/NAME.")],
    lifetime: Annotated[str, Option(metavar="TIME", help="For how long the record counts, as 48h or 30d.")] = "48h",
    ttl: Annotated[str, Option(metavar="TIME", help="For how long others may hold it before they ask again.")] = "1h",
    to: Annotated[
        list[str] | None, Option("--to", metavar="BACKEND", help="Bring the record there; may be given more than once.")
    ] = None,
) -> Published:
    """Let a key's name lead somewhere: a record is signed, kept, and brought to backends.

    Each record has a higher sequence than all that are known of the name, here and at those backends. The content
    itself is not brought anywhere.

    Examples:
        ipfs-accel store name publish site bafy…
        ipfs-accel store name publish site bafy…/docs --lifetime 30d --to cloud
    """
    return node().store.names.publish(key, target, lifetime=lifetime, ttl=ttl, backends=to or ())


@app.command()
@effects(WRITE, network=True)
def resolve(
    name: Annotated[
        str, Argument(metavar="NAME", help="k51…, a peer id, /ipns/NAME[/PATH], or what a key is called here.")
    ],
    backend: Annotated[
        str | None, Option("--on", metavar="BACKEND", help="Ask there for newer records and keep them.")
    ] = None,
) -> ResolvedName:
    """Say where a name leads by the newest verified records that are kept here, from name to name.

    Examples:
        ipfs-accel store name resolve site
        ipfs-accel -q store name resolve /ipns/k51…/index.html --on cloud
    """
    return node().store.names.resolve(name, backend)


@app.command()
@effects(READ)
def ls(where: Filter = None, sort: Sort = None, columns: Columns = None) -> NameList:
    """List the names whose records are kept here, oldest first.

    Examples:
        ipfs-accel store name ls
        ipfs-accel store name ls --filter "expired=true"
    """
    return chosen(node().store.names.list(), where=where, sort=sort, columns=columns)


@app.command()
@effects(READ)
def inspect(
    source: Annotated[str, Argument(metavar="FILE|NAME", help="A file with a record, or a name whose record is here.")],
    name: Stated = None,
) -> InspectedName:
    """Take a record apart, verified or not: value, sequence, times, and what is wrong with it.

    Examples:
        ipfs-accel store name inspect site
        ipfs-accel store name inspect site.ipns-record --name k51…
    """
    return node().store.names.files.inspect(source, name)


@app.command()
@effects(READ)
def verify(
    file: RecordPath,
    name: Annotated[str, Option("--name", metavar="NAME", help="The name that it must belong to.")],
) -> VerifiedName:
    """Check that the key of a name signed a record and that its time is not over; status 4 where not.

    Examples:
        ipfs-accel store name verify site.ipns-record --name k51…
    """
    return node().store.names.files.verify(file, name)


@app.command()
@effects(WRITE)
def export(
    name: Name,
    output: Annotated[
        Path | None, Option("--output", "-o", metavar="FILE", help="The file to write; else NAME.ipns-record, here.")
    ] = None,
) -> RecordFile:
    """Write the newest record of a name to a file, in the form of the specification.

    Examples:
        ipfs-accel store name export site -o site.ipns-record
    """
    return node().store.names.files.export(name, output)


@app.command("import")
@effects(WRITE)
def import_record(file: RecordPath, name: Stated = None) -> RecordFile:
    """Keep the record in a file, once it is verified, unless a newer one is here.

    Examples:
        ipfs-accel store name import site.ipns-record --name k51…
    """
    return node().store.names.files.take(file, name)
