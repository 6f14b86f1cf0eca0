"""Files and folders by their address: put, read, verify, carry."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.commands.listing import Columns, Filter, Sort
from ipfs_accel_cli.commands.store.parameters import (
    From,
    Identity,
    On,
    Paths,
    Profile,
    Recipients,
    Reference,
    To,
    here,
    places,
)
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
from ipfs_accel_cli.sources.reference import place_in

app = Typer()


def mount(group: Typer) -> None:
    """Add these commands to the group."""
    group.registered_commands.extend(app.registered_commands)


@app.command()
@effects(WRITE, network=True, featured=True, detach=True)
def put(
    paths: Paths,
    cid_profile: Profile = None,
    link: Annotated[
        bool, Option("--link", help="Hold hard links to the files instead of copies; do not change the files then.")
    ] = False,
    to: To = None,
    encrypt: Annotated[bool, Option("--encrypt", help="Store them so that only recipients can read them.")] = False,
    to_recipients: Recipients = None,
) -> Stream[Stored]:
    """Store files and folders and show their CIDs.

    They are kept until `store rm`. Symbolic links inside a folder are stored as links. Encrypted, how many files a
    folder has and about how large they are can still be seen, their names cannot.

    Examples:
        ipfs-accel store put model.safetensors
        ipfs-accel store put model.safetensors --to cold,lab:models/tiny
        ipfs-accel -q store put folder other.bin
        ipfs-accel store put --cid-profile unixfs-v0-2015 file
        ipfs-accel store put --encrypt --to-recipient me folder
    """
    paths = [here(path, "store fetch {}") for path in paths]
    if encrypt or to_recipients:
        if link or not encrypt:
            raise Invalid("--to-recipient goes with --encrypt, and --encrypt does not go with --link")
        store = node().store
        return Stream(store.sent(store.sealed.put(paths, to_recipients or (), cid_profile), places(to)))
    return Stream(node().store.put(paths, cid_profile, link=link, to=places(to)))


@app.command()
@effects(WRITE, network=True, detach=True)
def get(
    reference: Reference,
    output: Annotated[
        Path | None, Option("--output", "-o", metavar="PATH", help="Where to write; else the name, or the CID, here.")
    ] = None,
    on: From = None,
    identity: Identity = None,
) -> Got:
    """Write a file or folder to disk, whole or not at all.

    What is there already is never replaced.

    Examples:
        ipfs-accel store get bafy…/config.json -o config.json
        ipfs-accel store get bafy… -o folder --on cold
        ipfs-accel store get cold:models/tiny/config.json
        ipfs-accel store get bafyrei… -o folder --identity me
    """
    if output is not None:
        here(output, f"store copy {reference} {{}}")
    store = node().store.fetched(reference, on)
    return store.get(reference, output) if identity is None else store.sealed.get(reference, identity, output)


@app.command()
@effects(READ, network=True, featured=True)
def cat(
    reference: Reference,
    offset: Annotated[int, Option(min=0, metavar="BYTES", help="Where to begin.")] = 0,
    length: Annotated[int | None, Option(min=0, metavar="BYTES", help="How much; all of the rest if left out.")] = None,
    on: From = None,
    identity: Identity = None,
) -> Blob:
    """Write the bytes of a file to standard output.

    Examples:
        ipfs-accel store cat bafy…/README.md
        ipfs-accel store cat bafy… --offset 1048576 --length 16
        ipfs-accel store cat cold:models/tiny/model.safetensors --length 4096
        ipfs-accel store cat bafyrei…/notes.txt --identity me
    """
    store = node().store
    if identity is not None:
        return store.fetched(reference, on).sealed.open(reference, identity, offset, length)
    return store.exchange.cat(reference, on, offset, length)


@app.command()
@effects(READ, network=True, featured=True)
def ls(
    reference: Annotated[
        str | None, Argument(metavar="CID[/PATH]", help="A directory; what is kept if left out. With --on, a prefix.")
    ] = None,
    on: On = None,
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
        ipfs-accel store ls --on cold models/
        ipfs-accel store ls cold:models/
    """
    if identity is not None and (reference is None or on is not None):
        raise Invalid("--identity needs the CID of what is encrypted, and that here")
    store = node().store
    if on is None and reference is not None and (place := place_in(reference)) is not None:
        on, reference = place
    if on is not None:
        found = Listing(entries=list(store.exchange.ls(on, reference or "")))
    elif identity is not None and reference is not None:
        found = store.sealed.ls(reference, identity)
    else:
        found = store.ls(reference)
    return chosen(found, where=where, sort=sort, columns=columns)


@app.command()
@effects(READ, network=True)
def stat(reference: Reference, on: From = None) -> Stat:
    """Describe what a CID is and how much of it is here.

    Examples:
        ipfs-accel store stat bafy…
    """
    return node().store.fetched(reference, on).stat(reference)


@app.command()
@effects(READ)
def where(reference: Reference) -> Where:
    """Say where the bytes of a CID are, here and at backends, under which other CIDs they are, and what keeps them.

    Examples:
        ipfs-accel store where bafy…
    """
    return node().store.where(reference)


@app.command()
@effects(READ, network=True, detach=True)
def verify(
    references: Annotated[
        list[str] | None, Argument(metavar="CID", help="What to read again; everything if left out.")
    ] = None,
    everything: Annotated[
        bool, Option("--all", help="Everything, also what no root keeps; the same as no CID.")
    ] = False,
    on: On = None,
) -> Verification:
    """Read content from disk again and check every block against its CID.

    Damage is named to the block, with exit status 4. With `--on` the content is read back from a backend.

    Examples:
        ipfs-accel store verify --all
        ipfs-accel store verify bafy…
        ipfs-accel store verify bafy… --on cold
    """
    store = node().store
    if references:
        named, on = store.exchange.on_one(references, on)
        if on is not None and not everything:
            return store.exchange.verify(named, on)
    if on is not None:
        raise Invalid("--on reads back what you name: give the CIDs", suggestion=f"ipfs-accel store ls --on {on}")
    if everything and references:
        raise Invalid("--all is everything: give it or CIDs, not both")
    return store.verify(references or None)


@app.command()
@effects(DELETE, network=True)
def rm(
    cids: Annotated[list[str], Argument(metavar="CID", help="Roots as `store ls` shows them.")], on: On = None
) -> Removed:
    """Stop keeping what was put or imported; `store gc` then frees the space.

    With `--on` the copies at a backend are deleted, and what is here stays.

    Examples:
        ipfs-accel store rm bafy…
        ipfs-accel store rm bafy… --on cold
    """
    return node().store.remove(cids, on)


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
@effects(WRITE, network=True, detach=True)
def import_car(
    car: Annotated[Path, Argument(metavar="FILE.car", help="A CAR file, version 1 or 2.")],
    to: To = None,
) -> Imported:
    """Take in a CAR file, every block checked, and keep its roots.

    Examples:
        ipfs-accel store import model.car
    """
    store = node().store
    taken = store.import_car(here(car, "store fetch {}"))
    return taken.model_copy(
        update={"copies": [copy for root in taken.roots for copy in store.exchange.sent_to(root, places(to))]}
    )


@app.command()
@effects(WRITE, network=True, detach=True)
def export(
    reference: Reference,
    output: Annotated[Path, Option("--output", "-o", metavar="FILE.car", help="The CAR file to write.")],
    on: From = None,
) -> Exported:
    """Write a DAG as a CAR file, every block checked, the same bytes each time.

    Examples:
        ipfs-accel store export bafy… -o model.car
    """
    here(output, f"store copy {reference} {{}}")
    return node().store.fetched(reference, on).export_car(reference, output)
