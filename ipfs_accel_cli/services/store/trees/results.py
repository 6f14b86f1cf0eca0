"""What the commands about trees return."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from ipfs_accel_cli.core.results import Result


class TreeEntry(Result):
    """A file or folder of a tree."""

    columns: ClassVar[tuple[str, ...]] = ("path", "kind", "size_bytes", "cid", "modified_at")
    essence: ClassVar[str] = "path"

    path: str = Field(description="TREE/PATH.")
    kind: str = Field(description="file or directory.")
    size_bytes: int
    cid: str | None = Field(description="Null for a folder: a snapshot gives it one.")
    modified_at: str | None = Field(description="In UTC; null for a folder that is there because of what is in it.")


class Snapshot(Result):
    """A tree, or a part of one, as content that never changes."""

    columns: ClassVar[tuple[str, ...]] = ("cid", "path", "files", "size_bytes")
    essence: ClassVar[str] = "cid"

    cid: str
    path: str
    files: int
    size_bytes: int


class RemovedEntries(Result):
    """What a tree does not hold any more; the bytes stay until `store gc`."""

    essence: ClassVar[str] = "paths"

    paths: list[str]
