"""What the store's commands return."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from ipfs_accel_cli.core.results import Result
from ipfs_accel_cli.services.store.backends.results import Copied


class Stored(Result):
    """A file or folder that is in the store now."""

    columns: ClassVar[tuple[str, ...]] = ("cid", "kind", "size_bytes", "path")
    essence: ClassVar[str] = "cid"

    cid: str
    path: str = Field(description="The path that was put, as it was given.")
    kind: str = Field(description="file, directory, or encrypted: the CID is that of an envelope.")
    size_bytes: int = Field(description="Content, without the frames and inner nodes of the DAG.")
    total_bytes: int = Field(description="All blocks of the DAG.")
    profile: str = Field(description="The CID profile: how the content was cut and addressed.")
    copies: list[Copied] = Field(default_factory=list, description="Where it was sent as well.")


class Computed(Result):
    """The CID that a path would have in the store."""

    columns: ClassVar[tuple[str, ...]] = ("cid", "size_bytes", "path")
    essence: ClassVar[str] = "cid"

    cid: str
    path: str
    kind: str = Field(description="file or directory.")
    size_bytes: int
    total_bytes: int = Field(description="All blocks of the DAG.")
    profile: str


class Entry(Result):
    """A root that is kept, or an entry of a directory."""

    columns: ClassVar[tuple[str, ...]] = ("cid", "kind", "size_bytes", "name")
    essence: ClassVar[str] = "cid"

    cid: str = Field(description="Empty for a file at a backend whose CID is not known.")
    name: str
    kind: str = Field(description="file, directory, symlink, encrypted or block; `missing` when its block is not here.")
    size_bytes: int | None = Field(
        description="Content of a file, all blocks of a directory; null where the block that says so is not here."
    )
    owner: str | None = Field(default=None, description="Who keeps a root: store (put or imported), model, ….")
    added_at: str | None = Field(default=None, description="When a root was first kept, in UTC.")


class Listing(Result):
    """The roots that are kept, or the entries of a directory."""

    essence: ClassVar[str] = "entries"

    entries: list[Entry]


class Stat(Result):
    """What the store knows of one CID."""

    cid: str
    kind: str = Field(description="file, directory, symlink, encrypted or block.")
    codec: str
    size_bytes: int = Field(description="Content of a file, of all files below a directory, or of a block.")
    total_bytes: int = Field(description="All blocks of the DAG, shared ones counted each time.")
    blocks: int = Field(description="Different blocks of the DAG that are here.")
    missing_blocks: int = Field(description="Blocks that the DAG points to and that are not here.")
    whole_file: bool = Field(description="The content lies in one file of the store, ready to be mapped.")
    profile: str | None = Field(description="The CID profile, where it is known.")
    sha256: str | None = Field(description="Of a whole file, in hex: what other stores know it by.")
    kept_by: list[str] = Field(description="OWNER:LABEL of each root with this CID.")


class Got(Result):
    """What was written to disk."""

    essence: ClassVar[str] = "path"

    path: str
    cid: str
    kind: str
    files: int
    size_bytes: int
    unchanged: bool = Field(description="Everything was there already, equal byte for byte.")


class Inspection(Result):
    """A CID taken apart."""

    essence: ClassVar[str] = "cid"

    cid: str
    version: int
    base: str = Field(description="How the text given is encoded.")
    codec: str
    hash: str = Field(description="The hash function.")
    digest: str = Field(description="In hex.")
    digest_bytes: int
    v0: str | None = Field(description="The version 0 form; only sha2-256 dag-pb has one.")
    v1: str


class Verification(Result):
    """Bytes that were read from disk, hashed, and found to be what their CIDs say."""

    essence: ClassVar[str] = "size_bytes"

    objects: int = Field(description="Whole files.")
    blocks: int = Field(description="Leaf blocks within whole files, and blocks of their own.")
    size_bytes: int = Field(description="Bytes hashed.")


class Removed(Result):
    """What is no longer kept; the bytes stay until `store gc`."""

    essence: ClassVar[str] = "cids"

    cids: list[str]
    roots: int
    locators: list[str] = Field(default_factory=list, description="What was deleted at a backend.")


class Collected(Result):
    """What gc removed, or would remove."""

    essence: ClassVar[str] = "freed_bytes"

    dry_run: bool
    freed_bytes: int
    objects: int = Field(description="Whole files.")
    blocks: int = Field(description="Blocks of their own.")
    views: int = Field(description="File DAGs over objects; an object with another profile's DAG may stay.")


class Imported(Result):
    """What came out of a CAR file."""

    essence: ClassVar[str] = "roots"

    roots: list[str]
    blocks: int
    size_bytes: int = Field(description="Bytes of the blocks.")
    files: int = Field(description="Files that are kept whole now.")
    complete: bool = Field(description="Every block that the roots reach is here.")
    missing_blocks: int
    copies: list[Copied] = Field(default_factory=list, description="Where the roots were sent as well.")


class Exported(Result):
    """A CAR file that was written."""

    essence: ClassVar[str] = "path"

    path: str
    roots: list[str]
    blocks: int
    size_bytes: int = Field(description="Size of the CAR file.")
    unchanged: bool = Field(description="The same file was there already.")


class Finding(Result):
    """Something about the store that is not as it should be."""

    columns: ClassVar[tuple[str, ...]] = ("kind", "subject", "detail")

    kind: str = Field(description="rubbish, damaged, missing or database.")
    subject: str
    detail: str
    mendable: bool = Field(description="It is rubbish, and `ipfs-accel store gc` removes it.")
    suggestion: str | None = None
