"""Commands of the group `store`: content by its address."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from typer import Argument, Option, Typer

from ipfs_accel_cli.core.effects import DELETE, READ, WRITE, effects
from ipfs_accel_cli.core.results import Blob
from ipfs_accel_cli.core.stream import Stream
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.store.results import (
    Collected,
    Computed,
    Exported,
    Got,
    Imported,
    Inspection,
    Listing,
    Removed,
    Stat,
    Stored,
    Verification,
)

app = Typer(help="Content by its address: put, read, verify, carry.", no_args_is_help=True)
cid_app = Typer(help="Compute CIDs and take them apart; the store is not touched.", no_args_is_help=True)
app.add_typer(cid_app, name="cid")

ProfileName = Literal["unixfs-v1-2025", "legacy-cid-v1", "unixfs-v0-2015"]

Reference = Annotated[str, Argument(metavar="CID[/PATH]", help="CID, CID/path, /ipfs/CID/path or ipfs://CID/path.")]
Paths = Annotated[list[Path], Argument(metavar="PATH...", help="Files and folders.")]
Profile = Annotated[
    ProfileName | None,
    Option("--cid-profile", metavar="NAME", help="unixfs-v1-2025, legacy-cid-v1 or unixfs-v0-2015; else the setting."),
]


@app.command()
@effects(WRITE, featured=True)
def put(
    paths: Paths,
    cid_profile: Profile = None,
    link: Annotated[
        bool, Option("--link", help="Hold hard links to the files instead of copies; do not change the files then.")
    ] = False,
) -> Stream[Stored]:
    """Store files and folders and show their CIDs.

    They are kept until `store rm`. Symbolic links inside a folder are stored as links.

    Examples:
        ipfs-accel store put model.safetensors
        ipfs-accel -q store put folder other.bin
        ipfs-accel store put --cid-profile unixfs-v0-2015 file
    """
    return Stream(node().store.put(paths, cid_profile, link=link))


@app.command()
@effects(WRITE)
def get(
    reference: Reference,
    output: Annotated[
        Path | None, Option("--output", "-o", metavar="PATH", help="Where to write; else the name, or the CID, here.")
    ] = None,
) -> Got:
    """Write a file or folder to disk, whole or not at all.

    What is there already is never replaced.

    Examples:
        ipfs-accel store get bafy…/config.json -o config.json
        ipfs-accel store get bafy… -o folder
    """
    return node().store.get(reference, output)


@app.command()
@effects(READ, featured=True)
def cat(
    reference: Reference,
    offset: Annotated[int, Option(min=0, metavar="BYTES", help="Where to begin.")] = 0,
    length: Annotated[int | None, Option(min=0, metavar="BYTES", help="How much; all of the rest if left out.")] = None,
) -> Blob:
    """Write the bytes of a file to standard output.

    Examples:
        ipfs-accel store cat bafy…/README.md
        ipfs-accel store cat bafy… --offset 1048576 --length 16
    """
    return node().store.open(reference, offset, length)


@app.command()
@effects(READ, featured=True)
def ls(
    reference: Annotated[
        str | None, Argument(metavar="[CID[/PATH]]", help="A directory; what is kept if left out.")
    ] = None,
) -> Listing:
    """List what is kept, or the entries of a directory.

    Examples:
        ipfs-accel store ls
        ipfs-accel store ls bafy…/onnx
    """
    return node().store.ls(reference)


@app.command()
@effects(READ, featured=True)
def stat(reference: Reference) -> Stat:
    """Describe what a CID is and how much of it is here.

    Examples:
        ipfs-accel store stat bafy…
    """
    return node().store.stat(reference)


@app.command()
@effects(READ, featured=True)
def verify(
    references: Annotated[
        list[str] | None, Argument(metavar="[CID...]", help="What to read again; everything if left out.")
    ] = None,
) -> Verification:
    """Read content from disk again and check every block against its CID.

    Damage is named to the block, with exit status 4.

    Examples:
        ipfs-accel store verify
        ipfs-accel store verify bafy…
    """
    return node().store.verify(references or None)


@app.command()
@effects(DELETE)
def rm(cids: Annotated[list[str], Argument(metavar="CID...", help="Roots as `store ls` shows them.")]) -> Removed:
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
    car: Annotated[Path, Argument(metavar="FILE.car", help="A CAR file, version 1.")],
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


@cid_app.command("of")
@effects(READ)
def of(paths: Paths, cid_profile: Profile = None) -> Stream[Computed]:
    """Compute the CIDs of files and folders without storing anything.

    Examples:
        ipfs-accel store cid of model.safetensors
        ipfs-accel -q store cid of folder --cid-profile legacy-cid-v1
    """
    return Stream(node().store.cid_of(paths, cid_profile))


@cid_app.command()
@effects(READ, featured=True)
def inspect(cid: Annotated[str, Argument(metavar="CID", help="Any CID; its content need not be here.")]) -> Inspection:
    """Take a CID apart: version, base, codec, hash and digest.

    Examples:
        ipfs-accel store cid inspect bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e
    """
    return node().store.inspect(cid)
