"""What `model push` returns."""

from __future__ import annotations

from pydantic import Field

from ipfs_accel_cli.core.results import Result


class Pushed(Result):
    """A model that lies at another place now, or would."""

    columns = ("name", "dry_run", "reference", "files", "size_bytes", "sent_bytes", "present_bytes", "unchanged")
    essence = "reference"

    name: str
    version: int
    manifest_cid: str
    reference: str = Field(description="Pulls exactly this again: `ipfs-accel model pull REFERENCE`.")
    revision: str | None = Field(
        description="The commit or the digest of the manifest there; null before a first push."
    )
    replaced: str | None = Field(description="The revision that the name at the place meant before, if another one.")
    files: int = Field(description="The files of the model; its passport in .ipfs-accel/ is not counted.")
    statements: int = Field(description="What is said of the model and travels with it.")
    size_bytes: int = Field(description="The bytes of model and passport.")
    sent_bytes: int = Field(description="The bytes of the files that the place did not have; with dry_run to be sent.")
    present_bytes: int = Field(description="The bytes that were there already.")
    unchanged: bool = Field(description="The same was there already, and nothing was sent.")
    verified: bool = Field(
        description="The place was asked again, and lists the files with the digests that ours have."
    )
    dry_run: bool
