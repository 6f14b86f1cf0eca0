"""Files and folders by their address: put, read, verify, carry."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.commands.listing import Columns, Filter, Sort
from ipfs_accel_cli.commands.store.parameters import Identity, Paths, Profile, Recipients, Reference
from ipfs_accel_cli.core.effects import DELETE, READ, WRITE, effects
from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.core.listing import chosen
from ipfs_accel_cli.core.results import Blob
from ipfs_accel_cli.core.stream import Stream
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.store.dag_results import Where
from ipfs_accel_cli.services.store.results import (
    Collected,
    Exported,
    Got,
    Imported,
    Listing,
    Removed,
    Stat,
    Stored,
    Verification,
)
from ipfs_accel_cli.services.store.sealed.results import Rewrapped

app = Typer(help="Content by its address: put, read, verify, carry.", no_args_is_help=True)


@app.command()
@effects(WRITE, featured=True)
def put(
    paths: Paths,
    cid_profile: Profile = None,
    link: Annotated[
        bool, Option("--link", help="Hold hard links to the files instead of copies; do not change the files then.")
    ] = False,
    encrypt: Annotated[bool, Option("--encrypt", help="Store them so that only recipients can read them.")] = False,
    to_recipients: Recipients = None,
) -> Stream[Stored]:
    """Store files and folders and show their CIDs.

    They are kept until `store rm`. Symbolic links inside a folder are stored as links. Encrypted, the names inside a
    folder are in an encrypted index; how many files it has, and about how large they are, can still be seen.

    Examples:
        ipfs-accel store put model.safetensors
        ipfs-accel -q store put folder other.bin
        ipfs-accel store put --cid-profile unixfs-v0-2015 file
        ipfs-accel store put --encrypt --to-recipient me folder
    """
    if encrypt or to_recipients:
        if link or not encrypt:
            raise Invalid("--to-recipient goes with --encrypt, and --encrypt does not go with --link")
        return Stream(node().store.sealed.put(paths, to_recipients or (), cid_profile))
    return Stream(node().store.put(paths, cid_profile, link=link))


@app.command()
@effects(WRITE)
def get(
    reference: Reference,
    output: Annotated[
        Path | None, Option("--output", "-o", metavar="PATH", help="Where to write; else the name, or the CID, here.")
    ] = None,
    identity: Identity = None,
) -> Got:
    """Write a file or folder to disk, whole or not at all.

    What is there already is never replaced.

    Examples:
        ipfs-accel store get bafy…/config.json -o config.json
        ipfs-accel store get bafy… -o folder
        ipfs-accel store get bafyrei… -o folder --identity me
    """
    if identity is not None:
        return node().store.sealed.get(reference, identity, output)
    return node().store.get(reference, output)


@app.command()
@effects(READ, featured=True)
def cat(
    reference: Reference,
    offset: Annotated[int, Option(min=0, metavar="BYTES", help="Where to begin.")] = 0,
    length: Annotated[int | None, Option(min=0, metavar="BYTES", help="How much; all of the rest if left out.")] = None,
    identity: Identity = None,
) -> Blob:
    """Write the bytes of a file to standard output.

    Examples:
        ipfs-accel store cat bafy…/README.md
        ipfs-accel store cat bafy… --offset 1048576 --length 16
        ipfs-accel store cat bafyrei…/notes.txt --identity me
    """
    if identity is not None:
        return node().store.sealed.open(reference, identity, offset, length)
    return node().store.open(reference, offset, length)


@app.command()
@effects(READ, featured=True)
def ls(
    reference: Annotated[
        str | None, Argument(metavar="CID[/PATH]", help="A directory; what is kept if left out.")
    ] = None,
    where: Filter = None,
    sort: Sort = None,
    columns: Columns = None,
    identity: Identity = None,
) -> Listing:
    """List what is kept, or the entries of a directory.

    Examples:
        ipfs-accel store ls
        ipfs-accel store ls bafy…/onnx
        ipfs-accel store ls bafyrei… --identity me
        ipfs-accel store ls --filter "size>1GiB" --sort -size
    """
    if identity is not None and reference is None:
        raise Invalid("--identity needs the CID of what is encrypted")
    store = node().store
    found = store.ls(reference) if identity is None or reference is None else store.sealed.ls(reference, identity)
    return chosen(found, where=where, sort=sort, columns=columns)


@app.command()
@effects(READ, featured=True)
def stat(reference: Reference) -> Stat:
    """Describe what a CID is and how much of it is here.

    Examples:
        ipfs-accel store stat bafy…
    """
    return node().store.stat(reference)


@app.command()
@effects(READ)
def where(reference: Reference) -> Where:
    """Say where the bytes of a CID are in the store, under which other CIDs they are known, and what keeps them.

    Examples:
        ipfs-accel store where bafy…
    """
    return node().store.where(reference)


@app.command()
@effects(READ, featured=True)
def verify(
    references: Annotated[
        list[str] | None, Argument(metavar="CID", help="What to read again; everything if left out.")
    ] = None,
    everything: Annotated[
        bool, Option("--all", help="Everything, also what no root keeps; the same as no CID.")
    ] = False,
) -> Verification:
    """Read content from disk again and check every block against its CID.

    Damage is named to the block, with exit status 4.

    Examples:
        ipfs-accel store verify --all
        ipfs-accel store verify bafy…
    """
    if everything and references:
        raise Invalid("--all is everything: give it or CIDs, not both")
    return node().store.verify(references or None)


@app.command()
@effects(WRITE, idempotent=False, exposed=False)
def rewrap(
    reference: Reference,
    to_recipients: Recipients = None,
    drop: Annotated[
        list[str] | None, Option("--drop", metavar="R", help="Who shall not open the new envelope; may be repeated.")
    ] = None,
    identity: Identity = None,
) -> Rewrapped:
    """Make another envelope over the same encrypted content, for more or other recipients.

    Nothing is encrypted again. Whoever is dropped can still open the old envelope if they have it.

    Examples:
        ipfs-accel store rewrap bafyrei… --to-recipient age1…
        ipfs-accel store rewrap bafyrei… --to-recipient age1…new --drop age1…old
    """
    return node().store.sealed.rewrap(reference, to_recipients or (), drop or (), identity)


@app.command()
@effects(DELETE)
def rm(cids: Annotated[list[str], Argument(metavar="CID", help="Roots as `store ls` shows them.")]) -> Removed:
    """Stop keeping what was put or imported; `store gc` then frees the space.

    Examples:
        ipfs-accel store rm bafy…
    """
    return node().store.remove(cids)


@app.command()
@effects(DELETE)
def gc(
    dry_run: Annotated[bool, Option("--dry-run", help="Only say what would go.")] = False,
) -> Collected:
    """Remove everything that nothing keeps.

    Examples:
        ipfs-accel store gc --dry-run
        ipfs-accel store gc
    """
    return node().store.gc(dry_run=dry_run)


@app.command("import")
@effects(WRITE)
def import_car(
    car: Annotated[Path, Argument(metavar="FILE.car", help="A CAR file, version 1 or 2.")],
) -> Imported:
    """Take in a CAR file, every block checked, and keep its roots.

    Examples:
        ipfs-accel store import model.car
    """
    return node().store.import_car(car)


@app.command()
@effects(WRITE)
def export(
    reference: Reference,
    output: Annotated[Path, Option("--output", "-o", metavar="FILE.car", help="The CAR file to write.")],
) -> Exported:
    """Write a DAG as a CAR file, every block checked, the same bytes each time.

    Examples:
        ipfs-accel store export bafy… -o model.car
    """
    return node().store.export_car(reference, output)
