"""Pins: what is kept because somebody said so."""

from __future__ import annotations

from typing import Annotated, Literal

from typer import Argument, Option, Typer

from ipfs_accel_cli.commands.listing import Columns, Filter, Sort
from ipfs_accel_cli.commands.store.parameters import On
from ipfs_accel_cli.core.effects import DELETE, READ, WRITE, effects
from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.core.listing import chosen
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.store.dag_results import Pins

app = Typer(help="Keep DAGs and blocks, under a name if you like.", no_args_is_help=True)

References = Annotated[list[str], Argument(metavar="CID[/PATH]", help="What to pin.")]
Cids = Annotated[list[str], Argument(metavar="CID", help="CIDs as `store pin ls` shows them.")]


@app.command()
@effects(WRITE, network=True, detach=True)
def add(
    references: References,
    name: Annotated[str, Option(help="A name for the pin; one CID can be pinned under several.")] = "",
    direct: Annotated[bool, Option("--direct", help="Keep the block alone, without what it links to.")] = False,
    on: On = None,
    wait: Annotated[
        bool, Option("--wait", help="With --on: return when it is pinned there or failed; see --timeout.")
    ] = False,
) -> Pins:
    """Keep what is here whatever else lets go of it, until `store pin rm`.

    With `--on` a backend is asked to fetch it and keep it there. The command returns at once: the backend goes on by
    itself, and `store pin ls --on` says how far it is. With `--wait` it returns when that is done.

    Examples:
        ipfs-accel store pin add bafy… --name release-1
        ipfs-accel store pin add bafy… --on pinner
        ipfs-accel store pin add bafy… --on pinner --wait --timeout 600
        ipfs-accel store pin add bafy… --direct
    """
    if on is None and wait:
        raise Invalid("what is pinned here is pinned at once: --wait goes with --on")
    if on is None:
        return node().store.pins.add(references, name=name, direct=direct)
    if direct:
        raise Invalid("backends pin whole DAGs: leave --direct out")
    return Pins(pins=node().store.exchange.pin(references, on, name, wait=wait))


@app.command()
@effects(READ, network=True)
def ls(
    kind: Annotated[Literal["recursive", "direct"] | None, Option("--type", help="Only pins of this type.")] = None,
    name: Annotated[str | None, Option(help="Only pins of this name.")] = None,
    status: Annotated[
        Literal["queued", "pinning", "pinned", "failed"] | None, Option(help="With --on: only pins of this status.")
    ] = None,
    on: On = None,
    where: Filter = None,
    sort: Sort = None,
    columns: Columns = None,
) -> Pins:
    """List what is pinned, oldest first.

    Examples:
        ipfs-accel store pin ls
        ipfs-accel store pin ls --name release-1 -q
        ipfs-accel store pin ls --filter "name~release" --sort -added
        ipfs-accel store pin ls --on pinner --status queued
    """
    store = node().store
    if on is None and status is not None:
        raise Invalid("what is pinned here is pinned at once: --status goes with --on")
    if on is None:
        return chosen(store.pins.list(kind=kind, name=name), where=where, sort=sort, columns=columns)
    there = [pin for pin in store.exchange.pinned(on, name, status) if kind in (None, pin.type)]
    return chosen(Pins(pins=there), where=where, sort=sort, columns=columns)


@app.command()
@effects(DELETE, network=True, idempotent=False)
def rm(
    cids: Cids,
    name: Annotated[str | None, Option(help="Only the pins of this name; else all of a CID.")] = None,
    on: On = None,
) -> Pins:
    """Take pins off; `store gc` then frees what nothing else keeps.

    Examples:
        ipfs-accel store pin rm bafy…
        ipfs-accel store pin rm bafy… --name release-1
        ipfs-accel store pin rm bafy… --on pinner
    """
    if on is None:
        return node().store.pins.remove(cids, name=name)
    if name is not None:
        raise Invalid("at a backend all pins of a CID go: leave --name out")
    return Pins(pins=node().store.exchange.unpin(cids, on))
