"""CIDs by themselves: computed, taken apart, written in another form; the store is not touched."""

from __future__ import annotations

from typing import Annotated, Literal

from typer import Argument, Option, Typer

from ipfs_accel_cli.commands.store.parameters import Paths, Profile
from ipfs_accel_cli.core.effects import READ, effects
from ipfs_accel_cli.core.stream import Stream
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.store.dag_results import Converted
from ipfs_accel_cli.services.store.results import Computed, Inspection

app = Typer(help="Compute CIDs, take them apart and convert them; the store is not touched.", no_args_is_help=True)


@app.command("of")
@effects(READ)
def of(paths: Paths, cid_profile: Profile = None) -> Stream[Computed]:
    """Compute the CIDs of files and folders without storing anything.

    Examples:
        ipfs-accel store cid of model.safetensors
        ipfs-accel -q store cid of folder --cid-profile legacy-cid-v1
    """
    return Stream(node().store.cid_of(paths, cid_profile))


@app.command()
@effects(READ)
def inspect(cid: Annotated[str, Argument(metavar="CID", help="Any CID; its content need not be here.")]) -> Inspection:
    """Take a CID apart: version, base, codec, hash and digest.

    Examples:
        ipfs-accel store cid inspect bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e
    """
    return node().store.inspect(cid)


@app.command()
@effects(READ)
def convert(
    cids: Annotated[list[str], Argument(metavar="CID", help="Any CIDs; their content need not be here.")],
    version: Annotated[int | None, Option(min=0, max=1, help="0 or 1; else the one it has.")] = None,
    base: Annotated[
        Literal["base16", "base32", "base36", "base58btc"] | None, Option(help="How to write it; base32 if left out.")
    ] = None,
) -> Stream[Converted]:
    """Write CIDs in another version or base; they stay the same identity.

    Examples:
        ipfs-accel store cid convert QmZULkCELmmk5XNfCgTnCyFgAVxBRBXyDHGGMVoLFLiXEN --version 1
        ipfs-accel -q store cid convert bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e --base base36
    """
    return Stream(node().store.single.convert(cids, version=version, base=base))
