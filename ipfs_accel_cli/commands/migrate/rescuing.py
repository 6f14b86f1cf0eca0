"""Commands that run policies, and rescue what a dying place holds."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.core.effects import DELETE, WRITE, effects
from ipfs_accel_cli.core.stream import Stream
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.migrate.policy_results import Rescued
from ipfs_accel_cli.services.migrate.results import Moved

app = Typer()
NOTHING_TO_DO = "what the policy wants is so already"


def mount(group: Typer) -> None:
    """Add these commands to the group."""
    group.registered_commands.extend(app.registered_commands)


@app.command()
@effects(DELETE, network=True, detach=True)
def run(policy: Annotated[str, Argument(metavar="POLICY", help="A policy's name, or a TOML file.")]) -> Stream[Moved]:
    """Do what a policy says, now; outside of its window it ends with status 5.

    Examples:
        ipfs-accel migrate run nightly
        ipfs-accel migrate run ./archive.toml --detach
    """
    return Stream(node().migrations.policies.run(policy), NOTHING_TO_DO)


@app.command()
@effects(WRITE, network=True, detach=True)
def rescue(
    dying: Annotated[str, Argument(metavar="NAME", help="The backend that will soon be gone.")],
    to: Annotated[list[str], Option(metavar="NAME:[PATH]", help="Where to bring it; may be given again.")],
    recheck: Annotated[bool, Option("--recheck", help="Read copies elsewhere back before they count.")] = False,
    dry_run: Annotated[bool, Option("--dry-run", help="Only list what nothing else holds.")] = False,
) -> Stream[Rescued]:
    """Find the DAGs that only a dying backend holds, fetch and prove them, and keep them elsewhere.

    What it does not give is looked for at the other backends, gateways among them. Where it does not answer at all,
    what was ever proven there is the list.

    Examples:
        ipfs-accel migrate rescue oldpins --to cold: --dry-run
        ipfs-accel migrate rescue oldpins --to cold: --to lab: --recheck
    """
    found = node().migrations.rescue(dying, to, recheck=recheck, dry_run=dry_run)
    return Stream(found, f"nothing is at {dying} alone, as far as is known")
