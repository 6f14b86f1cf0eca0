"""What `model prune` returns."""

from __future__ import annotations

from pydantic import Field

from ipfs_accel_cli.core.results import Result


class PrunedVersion(Result):
    """A version that was taken off its name, or would be."""

    columns = ("name", "version", "created_at", "size_bytes", "frees_bytes", "manifest_cid")
    essence = "manifest_cid"

    name: str
    version: int
    manifest_cid: str
    created_at: str = Field(description="ISO 8601, UTC.")
    size_bytes: int = Field(description="Of all its files.")
    frees_bytes: int = Field(description="Of its files that no model that stays and no version above holds.")


class SparedVersion(Result):
    """A version that is old enough to go and stays."""

    columns = ("name", "version", "reason")
    essence = "name"

    name: str
    version: int
    manifest_cid: str
    reason: str


class Pruned(Result):
    """Old versions and interrupted downloads that are gone, or would go."""

    columns = (
        *("dry_run", "partial_downloads", "partial_bytes", "reclaimable_bytes", "freed_bytes", "note"),
        *("versions", "spared"),
    )
    essence = "versions"

    dry_run: bool
    versions: list[PrunedVersion]
    spared: list[SparedVersion]
    released_manifests: list[str] = Field(description="Models that no name means any more, which gc may delete.")
    partial_downloads: int = Field(description="Interrupted downloads that were thrown away.")
    partial_bytes: int
    reclaimable_bytes: int = Field(
        description="What `model gc` would free; for a dry run at most, as pins and roots may keep some of it."
    )
    freed_bytes: int = Field(description="What --gc freed.")
    note: str | None = Field(description="What could not be told, such as which models other processes use.")
