"""The scheduler: puts policies into the queue when they are due."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option, Typer

from ipfs_accel_cli.core.effects import READ, WRITE, effects
from ipfs_accel_cli.core.stream import Told
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.migrate.policy_results import Due, Policies, Units
from ipfs_accel_cli.services.migrate.units import Form

app = Typer(help="The scheduler: policies become jobs when they are due.", no_args_is_help=True)


@app.command()
@effects(READ)
def ls() -> Policies:
    """Show when each policy that has a schedule is due.

    Examples:
        ipfs-accel migrate schedule ls
    """
    found = node().migrations.policies.ls()
    return Policies(policies=[one for one in found.policies if one.due_at is not None])


@app.command()
@effects(WRITE, exposed=False)
def run(
    once: Annotated[bool, Option("--once", help="Put what is due now into the queue, and end.")] = False,
) -> Told[Due]:
    """Put policies into the queue when they are due, until told to end; `job work` runs them.

    Several of these may run on one home: each run is put into the queue once.

    Examples:
        ipfs-accel migrate schedule run
        ipfs-accel migrate schedule run --once
    """
    return Told(node().migrations.policies.schedule(once=once))


@app.command()
@effects(WRITE, exposed=False)
def unit(
    form: Annotated[Form, Option(help="A timer and services of your own systemd, or lines of a crontab.")] = "systemd",
    output: Annotated[
        Path | None, Option("--output", "-o", metavar="FOLDER", help="Write the files there; - or nothing prints them.")
    ] = None,
    replace: Annotated[bool, Option("--replace", help="Also over a file that is there and differs.")] = False,
) -> Units:
    """Write what starts the scheduler and a worker by themselves, for this home.

    Examples:
        ipfs-accel migrate schedule unit
        ipfs-accel migrate schedule unit -o ~/.config/systemd/user
        ipfs-accel migrate schedule unit --form cron | crontab -
    """
    return node().migrations.units(form, None if output is None else str(output), replace=replace)
