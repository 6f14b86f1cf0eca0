"""What the commands about DAGs, single blocks, pins and places return."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from ipfs_accel_cli.core.results import Result
from ipfs_accel_cli.services.store.backends.results import Copied, Copy


class PutBlock(Result):
    """A block that is in the store now."""

    essence: ClassVar[str] = "cid"

    cid: str
    codec: str
    hash: str = Field(description="The hash function of the CID.")
    size_bytes: int
    kept: bool = Field(description="It stays until `store rm`; otherwise until the next `store gc`.")
    complete: bool = Field(description="Every block that it links to is here.")
    kind: str = Field(description="file, directory, symlink or block; partial where not all below it is here.")
    copies: list[Copied] = Field(default_factory=list, description="Where it was sent as well.")


class ResolvedPath(Result):
    """Where a path led."""

    essence: ClassVar[str] = "cid"

    cid: str = Field(description="The last block on the way.")
    remaining: str = Field(description="The part of the path that lies inside that block.")
    kind: str = Field(
        description="file, directory, symlink, block, or what a document holds there, such as map or text."
    )


class DagStat(Result):
    """How large a DAG is, each block counted once."""

    columns: ClassVar[tuple[str, ...]] = ("cid", "codec", "blocks", "size_bytes", "missing_blocks", "missing")
    essence: ClassVar[str] = "size_bytes"

    cid: str
    codec: str
    blocks: int = Field(description="Different blocks that are here.")
    size_bytes: int = Field(description="Bytes of these blocks.")
    missing_blocks: int
    missing: list[str] = Field(description="CIDs of the first ten that are missing.")
    complete: bool


class DagChange(Result):
    """A path at which two DAGs differ."""

    columns: ClassVar[tuple[str, ...]] = ("kind", "path", "before", "after")
    essence: ClassVar[str] = "path"

    path: str
    kind: str = Field(description="added, removed or changed.")
    before: Any = Field(description="A CID, or a value as dag-json has it; null where there is nothing.")
    after: Any = Field(description="As `before`.")


class BlockStat(Result):
    """One block."""

    essence: ClassVar[str] = "size_bytes"

    cid: str
    codec: str
    hash: str
    size_bytes: int
    links: int | None = Field(description="How many links it has; null where its codec is not read here.")


class RemovedBlocks(Result):
    """Blocks that are gone."""

    essence: ClassVar[str] = "cids"

    cids: list[str]
    freed_bytes: int


class Converted(Result):
    """A CID in another form of the same identity."""

    columns: ClassVar[tuple[str, ...]] = ("cid", "converted")
    essence: ClassVar[str] = "converted"

    cid: str
    converted: str


class Place(Result):
    """Where the bytes of a block lie in this store."""

    columns: ClassVar[tuple[str, ...]] = ("kind", "name", "offset", "length", "file", "profile", "damaged")
    essence: ClassVar[str] = "name"

    kind: str = Field(description="object (a stretch of a whole file), block (a file of its own) or database.")
    name: str = Field(description="The file below the home folder.")
    offset: int
    length: int
    file: str | None = Field(default=None, description="The CID of the file DAG that the stretch belongs to.")
    profile: str | None = Field(default=None, description="How that file was cut, where it is known.")
    damaged: bool = False


class Keeper(Result):
    """A root that reaches a block and so keeps it."""

    columns: ClassVar[tuple[str, ...]] = ("owner", "label", "kind", "cid")
    essence: ClassVar[str] = "label"

    owner: str
    label: str
    kind: str
    cid: str = Field(description="The root.")


class Where(Result):
    """Where a block's bytes are, under which other roots its content is known, and what keeps it."""

    essence: ClassVar[str] = "cid"

    cid: str
    kind: str = Field(description="unknown for what only backends have.")
    sha256: str | None = Field(description="Of the whole content, for a whole file.")
    same_content: list[str] = Field(description="CIDs of the same bytes under other profiles.")
    places: list[Place]
    kept_by: list[Keeper]
    copies: list[Copy] = Field(description="At backends, those proven last first.")


class Pin(Result):
    """A DAG, or a single block, that is kept because somebody said so."""

    columns: ClassVar[tuple[str, ...]] = ("cid", "type", "name", "added_at")
    essence: ClassVar[str] = "cid"

    cid: str
    type: str = Field(description="recursive (all below it) or direct (the block alone).")
    name: str
    added_at: str | None = Field(description="In UTC; null where a backend does not say it.")
    status: str = Field(default="pinned", description="pinned; at a backend also queued, pinning or failed.")
    detail: str = Field(default="", description="What a backend says of it.")


class Pins(Result):
    """What is pinned."""

    essence: ClassVar[str] = "pins"

    pins: list[Pin]
