"""Commands of the group `hw machine`: machines by name, to judge models for them from anywhere."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.commands.listing import Columns, Filter, Sort
from ipfs_accel_cli.core.effects import DELETE, READ, WRITE, effects
from ipfs_accel_cli.core.listing import chosen
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.hw.machines.results import MachineList, NamedMachine, RemovedMachines, SavedMachine

app = Typer(help="Machines by name, for --machine NAME.", no_args_is_help=True)


def mount(group: Typer) -> None:
    """Add these commands to the group."""
    group.add_typer(app, name="machine")


@app.command()
@effects(READ)
def ls(where: Filter = None, sort: Sort = None, columns: Columns = None) -> MachineList:
    """List the machines that come with this program, from vendors' data sheets, and those that were saved here.

    Examples:
        ipfs-accel hw machine ls
        ipfs-accel hw machine ls -q
        ipfs-accel hw machine ls --filter "memory>=64GiB" --sort -memory --columns name,memory,accelerators
    """
    return chosen(node().machines.ls(), where=where, sort=sort, columns=columns)


@app.command()
@effects(READ)
def show(name: Annotated[str, Argument(help="A name as `hw machine ls` shows it.")]) -> NamedMachine:
    """Show a machine as `hw info` shows this one, with the sources of its figures.

    Examples:
        ipfs-accel hw machine show rtx-4090
        ipfs-accel hw machine show 8xh100 --json
    """
    return node().machines.show(name)


@app.command()
@effects(WRITE)
def save(
    name: Annotated[str, Argument(help="A new name: a-z, 0-9, dot, dash, underscore.")],
    file: Annotated[
        str | None, Option("--from", metavar="FILE.json", help="What `hw info --json` wrote elsewhere.")
    ] = None,
    full: Annotated[bool, Option("--full", help="Ask this machine all that `hw info --full` asks.")] = False,
    replace: Annotated[bool, Option("--replace", help="Also when the name means another machine.")] = False,
) -> SavedMachine:
    """Keep this machine, or one that a file describes, under a name for `--machine`.

    Examples:
        ipfs-accel hw machine save workstation --full
        ipfs-accel hw machine save server --from server.json --replace
    """
    return node().machines.save(name, file, full=full, replace=replace)


@app.command()
@effects(DELETE, idempotent=False)
def rm(names: Annotated[list[str], Argument(help="Names that were saved here.")]) -> RemovedMachines:
    """Forget machines that were saved; those that come with this program stay.

    Examples:
        ipfs-accel hw machine rm workstation
    """
    return node().machines.remove(names)
