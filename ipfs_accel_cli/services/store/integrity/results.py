"""What the commands about integrity return."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from ipfs_accel_cli.core.results import Result


class Damaged(Result):
    """A damaged or missing block."""

    columns: ClassVar[tuple[str, ...]] = ("cid", "object", "offset", "length", "detail")
    essence: ClassVar[str] = "cid"

    cid: str
    object: str | None = Field(description="The sha-256 of the whole file that it is a part of, in hex.")
    offset: int | None = Field(description="Where in that file, in bytes.")
    length: int | None
    detail: str


class Scrubbed(Result):
    """What was read again."""

    essence: ClassVar[str] = "size_bytes"

    objects: int = Field(description="Whole files.")
    blocks: int = Field(description="Blocks of their own.")
    copies: int = Field(description="DAGs that were read back from a backend.")
    size_bytes: int
    damaged: list[Damaged]
    repaired: int = Field(description="Whole files, or copies at a backend, that were mended.")
    left: int = Field(description="Whole files and DAGs that are still to be read in this round.")
    oldest: str | None = Field(description="When what is longest unread was last proven, in UTC; null for never.")


class Repaired(Result):
    """A whole file after its repair."""

    columns: ClassVar[tuple[str, ...]] = ("cid", "blocks", "size_bytes", "source")
    essence: ClassVar[str] = "cid"

    cid: str
    blocks: int = Field(description="Leaves that were damaged.")
    size_bytes: int = Field(description="Bytes that were put in their place.")
    source: str = Field(description="Where these came from: store, or names of backends.")


class Healing(Result):
    """A DAG and the copies that it lacks."""

    columns: ClassVar[tuple[str, ...]] = ("cid", "name", "copies", "to", "state", "detail")
    essence: ClassVar[str] = "cid"

    cid: str
    name: str
    copies: list[str] = Field(description="Where it is known to be whole; `here` is this store.")
    to: list[str] = Field(description="Backends that are to get it, or got it.")
    state: Literal["planned", "done", "failed", "short"]
    detail: str = ""
