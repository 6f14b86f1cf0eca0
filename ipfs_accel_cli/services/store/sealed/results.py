"""What the commands about encryption return."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from ipfs_accel_cli.core.results import Result


class AgeIdentity(Result):
    """An identity, by its public half."""

    columns: ClassVar[tuple[str, ...]] = ("identity", "recipient")
    essence: ClassVar[str] = "recipient"

    identity: str = Field(description="What it is called here.")
    recipient: str = Field(description="For others to encrypt to: an X25519 recipient of age (age1…).")


class AgeIdentities(Result):
    """The identities of this home."""

    essence: ClassVar[str] = "identities"

    identities: list[AgeIdentity]


class Rewrapped(Result):
    """Another envelope over the same encrypted content."""

    columns: ClassVar[tuple[str, ...]] = ("cid", "content", "recipients")
    essence: ClassVar[str] = "cid"

    cid: str = Field(description="The new envelope, which is kept here.")
    before: str = Field(description="The envelope that was opened; it is still here, and opens for whom it did.")
    content: str = Field(description="The encrypted content, the same in both.")
    recipients: list[str] = Field(description="Who can open the new one.")
