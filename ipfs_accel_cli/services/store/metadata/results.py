"""What the commands about metadata return."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from ipfs_accel_cli.core.results import Result


class Sidecar(Result):
    """What is said about a CID."""

    columns: ClassVar[tuple[str, ...]] = ("cid", "meta", "changed_at")
    essence: ClassVar[str] = "cid"

    cid: str = Field(description="What it is about.")
    meta: dict[str, Any] = Field(description="Each value is JSON.")
    version: str = Field(description="The CID of this version: a dag-cbor block of this store.")
    parents: list[str] = Field(description="The versions that it came from.")
    changed_at: str = Field(description="When it became the newest here, in UTC.")


class Sidecars(Result):
    """All metadata of this store."""

    essence: ClassVar[str] = "sidecars"

    sidecars: list[Sidecar]


class SidecarSynced(Result):
    """A sidecar that is the same here and at a backend now."""

    columns: ClassVar[tuple[str, ...]] = ("cid", "backend", "version", "fetched", "sent", "merged")
    essence: ClassVar[str] = "cid"

    cid: str
    backend: str
    version: str
    fetched: int = Field(description="Versions that came from there.")
    sent: int = Field(description="Versions that went there.")
    merged: bool = Field(description="Both had changed, and a new version holds the changes of both.")


class SidecarChange(Result):
    """A key at which a sidecar differs here and at a backend."""

    columns: ClassVar[tuple[str, ...]] = ("key", "changed", "base", "ours", "theirs")
    essence: ClassVar[str] = "key"

    key: str
    changed: str = Field(description="ours (only here), theirs (only there) or both: a conflict.")
    base: Any = Field(description="What both began with; null where that is nothing, or not known.")
    ours: Any = Field(description="What is here; null where nothing is, see `absent`.")
    theirs: Any = Field(description="What is there; null where nothing is, see `absent`.")
    absent: list[str] = Field(description="Which of base, ours and theirs have no such key.")
    version: str | None = Field(description="The version there; several machines may have left several.")
