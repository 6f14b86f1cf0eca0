"""What the commands about names, versions and aliases return."""

from __future__ import annotations

from pydantic import Field

from ipfs_accel_cli.core.results import Result


class Version(Result):
    """One version of a name."""

    columns = ("version", "current", "manifest_cid", "size_bytes", "aliases", "reference", "created_at")
    essence = "version"

    version: int
    current: bool = Field(description="The name means this version.")
    manifest_cid: str
    size_bytes: int
    aliases: list[str]
    reference: str
    created_at: str = Field(description="ISO 8601, UTC.")


class Versions(Result):
    """All versions of a name, the newest first."""

    columns = ("name", "versions")
    essence = "versions"

    name: str
    versions: list[Version]


class AliasRow(Result):
    """An alias and what it means."""

    columns = ("alias", "name", "version", "manifest_cid")
    essence = "alias"

    alias: str
    name: str
    version: int
    manifest_cid: str


class Aliases(Result):
    """All aliases."""

    aliases: list[AliasRow]


class RolledBack(Result):
    """A name that means an earlier model again."""

    columns = ("name", "version", "same_as_version", "was_version", "manifest_cid")
    essence = "manifest_cid"

    name: str
    version: int = Field(description="The new version, which the name means now.")
    same_as_version: int = Field(description="The earlier version with the same manifest.")
    was_version: int = Field(description="What the name meant before; it stays as it is.")
    manifest_cid: str
    unchanged: bool = Field(description="The name meant this model already, and no version was made.")
