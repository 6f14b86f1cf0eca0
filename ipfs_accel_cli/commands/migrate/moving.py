"""Commands that plan, carry out and check migrations."""

from __future__ import annotations

from typing import Annotated, Literal

from typer import Argument, Option, Typer

from ipfs_accel_cli.core.effects import DELETE, WRITE, effects
from ipfs_accel_cli.core.stream import Stream
from ipfs_accel_cli.core.units import parse_bytes
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.migrate.model import Action, Options, Verify
from ipfs_accel_cli.services.migrate.results import MigrationPlan, Moved, Planned

app = Typer()

Source = Annotated[
    str,
    Argument(metavar="SOURCE", help="NAME:path or NAME:CID with a backend's name, here:, a CID, or a model's name."),
]
Destination = Annotated[str, Argument(metavar="DESTINATION", help="NAME:path, here:, or here:NAME for one model.")]
Where = Annotated[
    str | None, Option("--filter", metavar="EXPRESSION", help="Only what fits, as name~weights AND size<1GiB.")
]
Transfers = Annotated[int, Option(min=1, max=256, help="Items at once.")]
Limit = Annotated[
    str, Option(metavar="RATE", help='Bytes a second, as in 10M, or a timetable: "08:00,512k 19:00,off".')
]
MostBytes = Annotated[str | None, Option(metavar="SIZE", help="Stop before more than this was moved; status 8.")]
Immutable = Annotated[bool, Option("--immutable", help="Never replace what is there and differs: such items fail.")]
DryRun = Annotated[bool, Option("--dry-run", help="Only say what would be done.")]
NoOp = Annotated[bool, Option("--error-on-no-op", help="Exit with status 9 when there is nothing to do.")]
Level = Annotated[
    Verify,
    Option(
        help="How what arrived is proven: metadata (the place's own checksum, else read back), sample (one in ten is"
        " read back), full (all of it is)."
    ),
]


def mount(group: Typer) -> None:
    """Add these commands to the group."""
    group.registered_commands.extend(app.registered_commands)


@app.command()
@effects(WRITE, network=True)
def plan(
    source: Source,
    destination: Destination,
    where: Where = None,
    action: Annotated[Action, Option(help="What is planned.")] = "copy",
    delete: Annotated[bool, Option("--delete", help="For a sync: delete what the source lacks.")] = False,
    immutable: Immutable = False,
    transfers: Transfers = 4,
) -> MigrationPlan:
    """Say exactly what a migration would do, what it costs, and how long it takes; nothing is moved.

    Costs are those of `store price`, times come from what `store probe` and transfers have measured.

    Examples:
        ipfs-accel migrate plan cold:models lab:models
        ipfs-accel migrate plan here: cold: --filter "size<1GiB" --json
    """
    verify: Verify = "full" if action == "move" else "metadata"
    options = Options(action, verify=verify, transfers=transfers, immutable=immutable, delete=delete, where=where)
    return node().migrations.plan(source, destination, options)


@app.command()
@effects(WRITE, network=True, detach=True)
def copy(
    source: Source,
    destination: Destination,
    where: Where = None,
    verify: Level = "metadata",
    transfers: Transfers = 4,
    bwlimit: Limit = "",
    max_transfer: MostBytes = None,
    immutable: Immutable = False,
    dry_run: DryRun = False,
    error_on_no_op: NoOp = False,
) -> Stream[Moved]:
    """Copy what one place has to another; what is there already does not travel.

    Each item is proven at the destination and has a receipt. Killed and run again it goes on where it was.

    Examples:
        ipfs-accel migrate copy cold:models lab:models
        ipfs-accel migrate copy tiny lab: --verify full
        ipfs-accel migrate copy cold: lab: --bwlimit "08:00,512k 19:00,off" --transfers 8
    """
    options = _options("copy", where, verify, transfers, bwlimit, max_transfer, immutable)
    return _stream(source, destination, options, dry_run, error_on_no_op)


@app.command()
@effects(DELETE, network=True, detach=True)
def move(
    source: Source,
    destination: Destination,
    where: Where = None,
    transfers: Transfers = 4,
    bwlimit: Limit = "",
    max_transfer: MostBytes = None,
    immutable: Immutable = False,
    dry_run: DryRun = False,
    error_on_no_op: NoOp = False,
) -> Stream[Moved]:
    """Move what one place has to another: deleted at the source only after this run has read all of it back.

    Examples:
        ipfs-accel migrate move lab:old cold:archive
        ipfs-accel migrate move lab: cold: --filter "size>1GiB" --dry-run
    """
    options = _options("move", where, "full", transfers, bwlimit, max_transfer, immutable)
    return _stream(source, destination, options, dry_run, error_on_no_op)


@app.command()
@effects(DELETE, network=True, detach=True)
def sync(
    source: Source,
    destination: Destination,
    where: Where = None,
    delete: Annotated[bool, Option("--delete", help="Also delete at the destination what the source lacks.")] = False,
    force: Annotated[bool, Option("--force", help="Delete even where the source has nothing at all.")] = False,
    verify: Level = "metadata",
    transfers: Transfers = 4,
    bwlimit: Limit = "",
    max_transfer: MostBytes = None,
    immutable: Immutable = False,
    dry_run: DryRun = False,
    error_on_no_op: NoOp = False,
) -> Stream[Moved]:
    """Make a destination agree with a source, one way; where an item fails, nothing is deleted.

    Examples:
        ipfs-accel migrate sync cold:models lab:models --delete
        ipfs-accel migrate sync here: cold: --dry-run
    """
    options = _options("sync", where, verify, transfers, bwlimit, max_transfer, immutable, delete, force)
    return _stream(source, destination, options, dry_run, error_on_no_op)


@app.command()
@effects(WRITE, network=True, detach=True)
def check(
    source: Source,
    destination: Destination,
    where: Where = None,
    by: Annotated[
        Literal["size", "hash", "full"],
        Option(help="size, hash (stated or remembered, read where it is neither), full (read both sides again)."),
    ] = "hash",
    transfers: Transfers = 4,
) -> Stream[Planned]:
    """Compare two places item by item; status 4 when they differ.

    `=` the same, `-` only at the destination, `+` only at the source, `*` different, `!` could not be read.

    Examples:
        ipfs-accel migrate check cold:models lab:models
        ipfs-accel migrate check cold: lab: --by full --json
    """
    options = Options("copy", transfers=transfers, where=where, compare=by)
    return Stream(node().migrations.check(source, destination, options))


def _options(
    action: Action,
    where: str | None,
    verify: Verify,
    transfers: int,
    bwlimit: str,
    max_transfer: str | None,
    immutable: bool,
    delete: bool = False,
    force: bool = False,
) -> Options:
    most = None if max_transfer is None else parse_bytes(max_transfer)
    return Options(
        action,
        verify=verify,
        transfers=transfers,
        bwlimit=bwlimit,
        max_transfer=most,
        immutable=immutable,
        delete=delete,
        force=force,
        where=where,
    )


def _stream(source: str, destination: str, options: Options, dry_run: bool, error_on_no_op: bool) -> Stream[Moved]:
    moved = node().migrations.migrate(source, destination, options, dry_run=dry_run, error_on_no_op=error_on_no_op)
    kept = "" if options.action != "sync" or options.delete else "; what else is there stays without --delete"
    return Stream(moved, f"{destination} has all that {source} has{kept}")
