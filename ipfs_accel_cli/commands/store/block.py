"""Single blocks, below files and folders."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.commands.store.parameters import (
    Block,
    Codec,
    From,
    HashName,
    KeptName,
    Source,
    Text,
    To,
    Unkept,
    places,
)
from ipfs_accel_cli.core.effects import DELETE, READ, WRITE, effects
from ipfs_accel_cli.core.results import Blob
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.store.dag_results import BlockStat, PutBlock, RemovedBlocks

app = Typer(help="Single blocks, below files and folders.", no_args_is_help=True)


@app.command()
@effects(READ, network=True)
def get(cid: Block, on: From = None) -> Blob:
    """Write the bytes of a block to standard output, checked against its CID.

    Examples:
        ipfs-accel store block get bafy… > block.bin
    """
    return node().store.fetched(cid, on).single.get(cid)


@app.command()
@effects(WRITE, network=True)
def put(
    source: Source = None,
    text: Text = None,
    codec: Annotated[Codec, Option(help="What the bytes are.")] = "raw",
    hash_name: HashName = "sha2-256",
    name: KeptName = None,
    no_keep: Unkept = False,
    to: To = None,
) -> PutBlock:
    """Store bytes as one block under the CID that they have.

    Examples:
        ipfs-accel store block put block.bin
        ipfs-accel -q store block put --text hello --hash blake3
    """
    store = node().store
    made = store.single.put(source, text, codec=codec, hash_name=hash_name, name=name, keep=not no_keep)
    return made.model_copy(update={"copies": store.exchange.sent_to(made.cid, places(to))})


@app.command()
@effects(READ, network=True)
def stat(cid: Block, on: From = None) -> BlockStat:
    """Describe one block.

    Examples:
        ipfs-accel store block stat bafy…
    """
    return node().store.fetched(cid, on).single.stat(cid)


@app.command()
@effects(DELETE)
def rm(cids: Annotated[list[str], Argument(metavar="CID", help="Blocks.")]) -> RemovedBlocks:
    """Delete blocks that no root reaches and no file holds, all of them or none.

    Examples:
        ipfs-accel store block rm bafy…
    """
    return node().store.single.remove(cids)
