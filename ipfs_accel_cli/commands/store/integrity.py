"""Commands that keep content sound: read again, mend, and keep often enough."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.commands.store.parameters import On
from ipfs_accel_cli.core.effects import WRITE, effects
from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.core.stream import Stream
from ipfs_accel_cli.core.units import parse_bytes, parse_duration
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.store.integrity.results import Healing, Repaired, Scrubbed

app = Typer()


def mount(group: Typer) -> None:
    """Add these commands to the group."""
    group.registered_commands.extend(app.registered_commands)


@app.command()
@effects(WRITE, network=True, detach=True)
def scrub(
    on: On = None,
    within: Annotated[
        str | None, Option(metavar="TIME", help="Stop after so long, as in 30m; the next run goes on from there.")
    ] = None,
    rate: Annotated[str | None, Option(metavar="SIZE", help="Read at most so much a second, as in 50MiB.")] = None,
    repair: Annotated[bool, Option("--repair", help="Mend what is damaged from any copy that is known.")] = False,
) -> Scrubbed:
    """Read content again, what is longest unread first, and check every block.

    Damage is named to the block, with exit status 4. With `--on` what is known to lie at a backend is read back.

    Examples:
        ipfs-accel store scrub
        ipfs-accel store scrub --within 30m --rate 50MiB --repair
        ipfs-accel store scrub --on cold
    """
    return node().store.integrity.scrub(
        on=on,
        rate_bytes_s=parse_bytes(rate) if rate else None,
        seconds=parse_duration(within) if within else None,
        repair=repair,
    )


@app.command()
@effects(WRITE, network=True, detach=True)
def repair(
    references: Annotated[list[str] | None, Argument(metavar="CID", help="What to mend.")] = None,
    everything: Annotated[bool, Option("--all", help="Every file that is known to be damaged.")] = False,
    on: On = None,
) -> Stream[Repaired]:
    """Mend damaged files: only their damaged stretches are fetched, from this store or any backend, and are proven.

    Examples:
        ipfs-accel store repair --all
        ipfs-accel store repair bafy… --on cold
    """
    if everything == bool(references):
        raise Invalid("give CIDs, or --all")
    return Stream(node().store.integrity.repair(references or [], on), "nothing is damaged")


@app.command()
@effects(WRITE, network=True, detach=True)
def heal(
    least: Annotated[int, Option("--min", min=1, metavar="N", help="At how many places; this store is one.")] = 2,
    dry_run: Annotated[bool, Option("--dry-run", help="Only say what would be sent where.")] = False,
) -> Stream[Healing]:
    """Send what is kept at too few places to more of them.

    Examples:
        ipfs-accel store heal --min 2 --dry-run
        ipfs-accel store heal --min 3
    """
    return Stream(node().store.integrity.heal(least, dry_run=dry_run), "all that is kept is at enough places")
