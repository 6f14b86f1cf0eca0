"""DAGs: values by path, put by value, compared, measured, carried in part."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from typer import Argument, Option, Typer

from ipfs_accel_cli.commands.store.content import import_car
from ipfs_accel_cli.commands.store.parameters import (
    Codec,
    From,
    HashName,
    KeptName,
    Reference,
    Source,
    Text,
    To,
    Unkept,
    here,
    places,
)
from ipfs_accel_cli.core.effects import READ, WRITE, effects
from ipfs_accel_cli.core.results import Blob
from ipfs_accel_cli.core.stream import Stream
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.store.dag_results import DagChange, DagStat, PutBlock, ResolvedPath
from ipfs_accel_cli.services.store.results import Exported

app = Typer(help="DAGs: values by path, put by value, compared, measured, carried in part.", no_args_is_help=True)
app.command("import")(import_car)


@app.command()
@effects(READ, network=True)
def get(
    reference: Reference,
    codec: Annotated[Codec, Option(help="How to write the value; raw gives the bytes of its block.")] = "dag-json",
    on: From = None,
) -> Blob:
    """Write the value that a path leads to, as dag-json unless told otherwise.

    Goes through directories by name, through dag-cbor and dag-json by key and position, and follows links.

    Examples:
        ipfs-accel store dag get bafy…
        ipfs-accel store dag get bafy…/files/0/path
        ipfs-accel store dag get bafy… --codec dag-cbor
    """
    return node().store.fetched(reference, on).dags.get(reference, codec)


@app.command()
@effects(WRITE, network=True)
def put(
    source: Source = None,
    text: Text = None,
    input_codec: Annotated[Codec, Option(help="How the value is given.")] = "dag-json",
    store_codec: Annotated[Codec, Option(help="How it is stored, which its CID says.")] = "dag-cbor",
    hash_name: HashName = "sha2-256",
    name: KeptName = None,
    no_keep: Unkept = False,
    to: To = None,
) -> PutBlock:
    """Store one value as a block; what it links to need not be here.

    Examples:
        ipfs-accel store dag put --text '{"name": "first", "next": null}'
        ipfs-accel -q store dag put node.json --store-codec dag-json
        ipfs-accel store dag put block.bin --input-codec dag-pb --store-codec dag-pb
    """
    store = node().store
    made = store.dags.put(
        source,
        text,
        input_codec=input_codec,
        store_codec=store_codec,
        hash_name=hash_name,
        name=name,
        keep=not no_keep,
    )
    return made.model_copy(update={"copies": store.exchange.sent_to(made.cid, places(to))})


@app.command()
@effects(READ, network=True)
def resolve(reference: Reference, on: From = None) -> ResolvedPath:
    """Say which block a path leads to, and what of the path lies inside it.

    Examples:
        ipfs-accel store dag resolve bafy…/config.json
    """
    return node().store.fetched(reference, on).dags.resolve(reference)


@app.command()
@effects(READ, network=True)
def stat(
    reference: Reference,
    max_blocks: Annotated[int | None, Option(min=1, help="Give up, with status 8, beyond so many blocks.")] = None,
    max_bytes: Annotated[int | None, Option(min=1, help="Give up, with status 8, beyond so many bytes.")] = None,
    on: From = None,
) -> DagStat:
    """Count the blocks of a DAG and their bytes, each once, and name what is missing.

    Examples:
        ipfs-accel store dag stat bafy…
        ipfs-accel store dag stat bafy… --max-blocks 100000
    """
    return node().store.fetched(reference, on).dags.stat(reference, max_blocks=max_blocks, max_bytes=max_bytes)


@app.command()
@effects(READ)
def diff(
    before: Reference,
    after: Annotated[str, Argument(metavar="CID[/PATH]", help="What to compare it with.")],
) -> Stream[DagChange]:
    """List the paths at which two directories or documents differ, reading only the parts that do.

    Examples:
        ipfs-accel store dag diff bafy…one bafy…two
    """
    return Stream(node().store.dags.diff(before, after), "they are the same")


@app.command()
@effects(WRITE, network=True, detach=True)
def export(
    reference: Reference,
    output: Annotated[Path, Option("--output", "-o", metavar="FILE.car", help="The CAR file to write.")],
    scope: Annotated[
        Literal["block", "entity", "all"],
        Option(help="What of it: the last block, the whole file or directory listing, or everything below."),
    ] = "all",
    byte_range: Annotated[
        str | None, Option("--bytes", metavar="FIRST:LAST", help="Only these bytes of a file: 0:1023, 512:*, -1024:*.")
    ] = None,
    on: From = None,
) -> Exported:
    """Write the blocks that prove what a path leads to as a CAR file: those on the way, then those asked for.

    The scopes and ranges are those of trustless gateways (IPIP-402), so any client that checks such an answer can
    check this file.

    Examples:
        ipfs-accel store dag export bafy… -o all.car
        ipfs-accel store dag export bafy…/weights.bin -o part.car --bytes 0:1048575
        ipfs-accel store dag export bafy…/folder -o listing.car --scope entity
    """
    here(output, f"store copy {reference} {{}}")
    return node().store.fetched(reference, on).dags.export(reference, output, scope=scope, byte_range=byte_range)
