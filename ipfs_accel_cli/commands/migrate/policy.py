"""Policies: what is to be brought where, how, when, and for how much."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.commands.migrate.rescuing import NOTHING_TO_DO
from ipfs_accel_cli.core.effects import DELETE, READ, WRITE, effects
from ipfs_accel_cli.core.stream import Stream
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.migrate.policy_results import Policies, PolicyPlan, PolicyShown, PolicyWhole
from ipfs_accel_cli.services.migrate.results import Moved

app = Typer(help="Policies: what is to be brought where, how, when, and for how much.", no_args_is_help=True)
Name = Annotated[str, Argument(metavar="POLICY", help="A policy of `migrate policy ls`.")]
NameOrFile = Annotated[str, Argument(metavar="POLICY", help="A policy's name, or a TOML file.")]


@app.command()
@effects(WRITE)
def add(
    file: Annotated[str, Argument(metavar="FILE", help="A policy as TOML.")],
    replace: Annotated[bool, Option("--replace", help="Replace the one of the same name.")] = False,
) -> PolicyWhole:
    """Keep a policy, enabled; it is named by its `name`, else by its file.

    Examples:
        ipfs-accel migrate policy add nightly.toml
    """
    return node().migrations.policies.add(file, replace=replace)


@app.command()
@effects(READ)
def ls() -> Policies:
    """List the policies, when each is due, and which are at odds.

    Examples:
        ipfs-accel migrate policy ls
    """
    return node().migrations.policies.ls()


@app.command()
@effects(READ)
def show(policy: Name) -> PolicyWhole:
    """Show a policy, and what its source will hold if it grows as it did.

    Examples:
        ipfs-accel migrate policy show nightly
    """
    return node().migrations.policies.show(policy)


@app.command()
@effects(WRITE, network=True)
def test(policy: NameOrFile) -> PolicyPlan:
    """Say what a policy would do now: which places it chooses, what that costs, and what is at odds with it.

    Examples:
        ipfs-accel migrate policy test nightly
        ipfs-accel migrate policy test ./draft.toml --json
    """
    return node().migrations.policies.test(policy)


@app.command()
@effects(WRITE)
def enable(policy: Name) -> PolicyShown:
    """Let a policy run by its schedule, from now on.

    Examples:
        ipfs-accel migrate policy enable nightly
    """
    return node().migrations.policies.enable(policy, enabled=True)


@app.command()
@effects(WRITE)
def disable(policy: Name) -> PolicyShown:
    """Keep a policy from running by its schedule.

    Examples:
        ipfs-accel migrate policy disable nightly
    """
    return node().migrations.policies.enable(policy, enabled=False)


@app.command()
@effects(DELETE, network=True, detach=True)
def run(policy: NameOrFile) -> Stream[Moved]:
    """Do what a policy says, now; the same as `migrate run`.

    Examples:
        ipfs-accel migrate policy run nightly
    """
    return Stream(node().migrations.policies.run(policy), NOTHING_TO_DO)


@app.command()
@effects(DELETE)
def rm(policy: Name) -> PolicyShown:
    """Forget a policy; its runs stay in the history.

    Examples:
        ipfs-accel migrate policy rm nightly
    """
    return node().migrations.policies.remove(policy)
