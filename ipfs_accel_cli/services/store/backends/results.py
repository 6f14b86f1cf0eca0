"""What the commands about backends return."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from ipfs_accel_cli.core.results import Result


class BackendShown(Result):
    """A backend that is known."""

    columns: ClassVar[tuple[str, ...]] = ("name", "kind", "options", "token", "can")
    essence: ClassVar[str] = "name"

    name: str
    kind: str
    options: dict[str, str] = Field(description="How it is reached; nothing secret is among them.")
    token: str = Field(description="Where its token comes from: none, environment VARIABLE, keyring or file.")
    can: list[str] = Field(description="Its contracts: files, dags, takes-dags, pins, batch, names.")
    read_only: bool
    region: str | None = None
    added_at: str


class BackendRemoved(Result):
    """A backend that is forgotten; what lies there stays."""

    essence: ClassVar[str] = "name"

    name: str
    copies: int = Field(description="Copies there that were known and are not any more.")


class Swept(Result):
    """What was cleared at a backend."""

    essence: ClassVar[str] = "cleared"

    name: str
    cleared: int = Field(description="Unfinished uploads of writers that died.")


class CacheShown(Result):
    """The cache of a backend."""

    columns: ClassVar[tuple[str, ...]] = ("name", "size_bytes", "max_bytes", "entries", "hits", "misses", "hit_rate")
    bars: ClassVar[tuple[str, ...]] = ("hit_rate",)
    essence: ClassVar[str] = "name"

    name: str = Field(description="The backend.")
    max_bytes: int
    size_bytes: int
    entries: int = Field(description="Blocks, and pages of files.")
    hits: int
    misses: int
    hit_rate: float | None = Field(description="The share of what was asked for that was there; null before anything.")


class CacheCleared(Result):
    """A cache that is empty now."""

    essence: ClassVar[str] = "freed_bytes"

    name: str
    freed_bytes: int


class Step(Result):
    """One part of a round trip."""

    columns: ClassVar[tuple[str, ...]] = ("name", "state", "latency_ms", "detail")
    essence: ClassVar[str] = "state"

    name: str
    state: Literal["ok", "failed", "skipped"]
    latency_ms: float | None = None
    detail: str = ""


class BackendTested(Result):
    """How a backend is."""

    essence: ClassVar[str] = "reachable"

    name: str
    kind: str
    reachable: bool | None = Field(description="Null where that is not known.")
    writable: bool | None = Field(description="Null where that is not known.")
    detail: str
    latency_ms: float | None
    version: str | None
    lacks: list[str] = Field(description="Calls that the server does not have.")
    steps: list[Step] = Field(description="The parts of a round trip, where one was asked for.")


class Copied(Result):
    """A DAG that is at a backend now."""

    columns: ClassVar[tuple[str, ...]] = ("cid", "backend", "path", "size_bytes", "sent_bytes", "unchanged", "proof")
    essence: ClassVar[str] = "cid"

    cid: str
    backend: str
    path: str = Field(description="Where its files lie there; for a place that keeps DAGs, its CID.")
    files: int = Field(description="Whole files sent or found there; 0 where the DAG went as blocks.")
    size_bytes: int = Field(description="All that lies there now.")
    sent_bytes: int
    unchanged: bool = Field(description="Everything was there already.")
    proof: str = Field(description="How it is known: checksum and cid are the place's own word, reread is ours.")


class Fetched(Result):
    """A DAG that came from a backend and is in the store now, every byte proven."""

    columns: ClassVar[tuple[str, ...]] = ("cid", "backend", "size_bytes", "fetched_bytes", "unchanged")
    essence: ClassVar[str] = "cid"

    cid: str
    backend: str
    size_bytes: int
    fetched_bytes: int
    unchanged: bool = Field(description="All of it was here already.")


class Copy(Result):
    """A copy of some content at a backend."""

    columns: ClassVar[tuple[str, ...]] = ("backend", "locator", "size_bytes", "verified_at", "how")
    essence: ClassVar[str] = "locator"

    backend: str
    locator: str
    size_bytes: int
    verified_at: str = Field(description="When it was last proven, in UTC.")
    how: str = Field(description="checksum or cid (the place's own word), reread (ours).")
