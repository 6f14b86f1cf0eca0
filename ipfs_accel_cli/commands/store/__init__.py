"""Commands of the group `store`: content by its address, from whole folders down to single blocks."""

from __future__ import annotations

from ipfs_accel_cli.commands.store import block, cid, dag, identity, key, name, pin
from ipfs_accel_cli.commands.store.content import app

app.add_typer(dag.app, name="dag")
app.add_typer(block.app, name="block")
app.add_typer(cid.app, name="cid")
app.add_typer(pin.app, name="pin")
app.add_typer(name.app, name="name")
app.add_typer(key.app, name="key")
app.add_typer(identity.app, name="identity")
