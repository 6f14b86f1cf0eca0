"""Commands for metadata: what is said about a CID, beside the content and never in it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.commands.listing import Columns, Filter, Sort
from ipfs_accel_cli.core.effects import READ, WRITE, effects
from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.core.stream import Stream
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.store.metadata.merging import Side
from ipfs_accel_cli.services.store.metadata.results import Sidecar, SidecarChange, Sidecars, SidecarSynced

app = Typer(help="Say things about any CID, beside the content; the CID stays the same.", no_args_is_help=True)

Subject = Annotated[str, Argument(metavar="CID", help="What it is about; it need not be here.")]
Place = Annotated[str, Option("--on", metavar="NAME", help="The backend, one that keeps files.")]


@app.command()
@effects(READ)
def get(cid: Subject) -> Sidecar:
    """Show what is said about a CID.

    Examples:
        ipfs-accel store meta get bafy…
    """
    return node().store.metadata.get(cid)


@app.command("set")
@effects(WRITE)
def change(
    cid: Subject,
    entries: Annotated[
        list[str] | None, Argument(metavar="KEY=VALUE", help="A value is JSON, or else a text; KEY= removes the key.")
    ] = None,
    file: Annotated[
        Path | None, Option("--from", metavar="FILE", help="A JSON object with entries; those named come after it.")
    ] = None,
) -> Sidecar:
    """Say something about a CID; what was said before and is not named stays.

    Each change is a new version, a block of this store that names the one before.

    Examples:
        ipfs-accel store meta set bafy… title="A tiny model" stars=3
        ipfs-accel store meta set bafy… --from facts.json draft=
    """
    if not entries and file is None:
        raise Invalid("give KEY=VALUE, or --from FILE")
    return node().store.metadata.set(cid, entries or [], file)


@app.command()
@effects(READ)
def ls(where: Filter = None, sort: Sort = None, columns: Columns = None) -> Sidecars:
    """List what is said about CIDs; a filter may ask for meta.KEY.

    Examples:
        ipfs-accel store meta ls
        ipfs-accel store meta ls --filter "meta.stars=3 AND meta.title~tiny"
    """
    return node().store.metadata.list(where=where, sort=sort, columns=columns)


@app.command()
@effects(READ, network=True)
def diff(cid: Subject, on: Place) -> Stream[SidecarChange]:
    """Show at which keys metadata differs here and at a backend, and who changed them: ours, theirs or both.

    Examples:
        ipfs-accel store meta diff bafy… --on cold
    """
    return Stream(node().store.metadata.diff(cid, on))


@app.command()
@effects(WRITE, network=True)
def sync(
    on: Place,
    cid: Annotated[str | None, Argument(metavar="CID", help="What it is about; or --all.")] = None,
    everything: Annotated[bool, Option("--all", help="All metadata that is here or there.")] = False,
    ours: Annotated[bool, Option("--ours", help="Where both changed a key, take what is here.")] = False,
    theirs: Annotated[bool, Option("--theirs", help="Where both changed a key, take what is there.")] = False,
) -> Stream[SidecarSynced]:
    """Make metadata the same here and at a backend: the changes of both are taken.

    Keys that both changed are a conflict: they are listed, and nothing is changed unless --ours or --theirs decides.

    Examples:
        ipfs-accel store meta sync bafy… --on cold
        ipfs-accel store meta sync --all --on cold --theirs
    """
    if everything == (cid is not None):
        raise Invalid("give a CID, or --all")
    if ours and theirs:
        raise Invalid("give --ours or --theirs, not both")
    metadata = node().store.metadata
    prefer: Side | None = "ours" if ours else "theirs" if theirs else None
    if cid is None:
        return Stream(metadata.sync_all(on, prefer))
    return Stream([metadata.sync(cid, on, prefer)])
