"""Commands for what is encrypted, beside those that take `--identity`."""

from __future__ import annotations

from typing import Annotated

from typer import Option, Typer

from ipfs_accel_cli.commands.store.parameters import Identity, Recipients, Reference
from ipfs_accel_cli.core.effects import WRITE, effects
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.store.sealed.results import Rewrapped

app = Typer()


def mount(group: Typer) -> None:
    """Add these commands to the group."""
    group.registered_commands.extend(app.registered_commands)


@app.command()
@effects(WRITE, idempotent=False, exposed=False)
def rewrap(
    reference: Reference,
    to_recipients: Recipients = None,
    drop: Annotated[
        list[str] | None, Option("--drop", metavar="R", help="Who shall not open the new envelope; may be repeated.")
    ] = None,
    identity: Identity = None,
) -> Rewrapped:
    """Make another envelope over the same encrypted content, for more or other recipients.

    Nothing is encrypted again. Whoever is dropped can still open the old envelope if they have it.

    Examples:
        ipfs-accel store rewrap bafyrei… --to-recipient age1…
        ipfs-accel store rewrap bafyrei… --to-recipient age1…new --drop age1…old
    """
    return node().store.sealed.rewrap(reference, to_recipients or (), drop or (), identity)
