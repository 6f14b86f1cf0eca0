"""What `model repair` returns."""

from __future__ import annotations

from pydantic import Field

from ipfs_accel_cli.core.results import Result


class RepairedFile(Result):
    """A file that was damaged and is whole again."""

    columns = ("path", "blocks", "damaged_bytes", "from_store_bytes", "donors")
    essence = "path"

    path: str
    blocks: int = Field(description="Damaged blocks that were replaced.")
    damaged_bytes: int = Field(description="Bytes of these blocks.")
    from_store_bytes: int = Field(description="How many of them another file of this store held.")
    donors: list[str] = Field(description="Where the others came from.")


class Repaired(Result):
    """A model that was mended, or was not damaged."""

    columns = ("name", "manifest_cid", "damaged_bytes", "fetched_bytes", "blocks_verified", "rebuilt", "files")
    essence = "manifest_cid"

    name: str
    manifest_cid: str
    files: list[RepairedFile] = Field(description="Empty when nothing was damaged.")
    damaged_bytes: int
    fetched_bytes: int = Field(description="What the donors gave or sent, wrong offers and whole archives included.")
    rebuilt: bool = Field(description="Lost inner nodes, directories, statements or the manifest are here again.")
    blocks_verified: int = Field(description="Blocks of the whole model that were hashed afterwards and are right.")
