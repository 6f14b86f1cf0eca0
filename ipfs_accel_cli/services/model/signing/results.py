"""What the commands about signatures return."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ipfs_accel_cli.core.results import Result

Verdict = Literal["trusted", "unknown-key", "unchecked", "invalid"]
Covers = Literal["model", "files", "nothing"]


class Signed(Result):
    """A statement that was signed and is kept with the model."""

    columns = ("name", "kind", "predicate_type", "signer", "statement_cid", "manifest_cid", "unchanged", "output")
    essence = "statement_cid"

    name: str
    manifest_cid: str = Field(description="The model that it is about.")
    kind: Literal["signature", "attestation"]
    predicate_type: str = Field(description="What is said, as a URI.")
    signer: str = Field(description="The public key as did:key.")
    statement_cid: str = Field(description="The signed statement as an object of its own; it travels with the model.")
    unchanged: bool = Field(description="The very same was kept already.")
    output: str | None = Field(description="The file whose lines hold the envelope, too.")


class Judged(Result):
    """One signature: whose it is, whether it holds, and what it is about."""

    columns = ("verdict", "predicate_type", "signer_name", "covers", "detail", "signer")
    essence = "verdict"

    verdict: Verdict = Field(
        description="trusted; unknown-key: it holds, but nobody here vouches for the key; unchecked: its key is not"
        " here; invalid: it does not hold, or is about other content."
    )
    signer: str | None = Field(description="The key that made it, as did:key; null where that is not proven.")
    signer_name: str | None = Field(description="What the key is called here.")
    predicate_type: str = Field(description="What is said, as a URI; empty where it cannot be read.")
    covers: Covers = Field(
        description="model: its manifest, or all its files by their names; files: some of them, or under other names."
    )
    detail: str
    statement_cid: str | None = Field(description="Null for an envelope in a file.")


class Attested(Result):
    """The signatures about a model and whether they hold."""

    columns = ("name", "manifest_cid", "trusted", "unknown", "unchecked", "bytes_state", "bytes_detail", "signatures")
    essence = "trusted"

    name: str
    manifest_cid: str
    bytes_state: Literal["verified", "registered", "damaged"]
    bytes_detail: str = Field(description="When the bytes here were last proven to be those that the manifest names.")
    signatures: list[Judged]
    trusted: int = Field(
        description="Signatures over the whole model by keys that are trusted; of attestations only those of a type"
        " that was asked for."
    )
    unknown: int
    unchecked: int


class TrustedKey(Result):
    """A key whose signatures count."""

    columns = ("label", "key", "own", "added_at")
    essence = "key"

    key: str = Field(description="did:key.")
    label: str
    own: bool = Field(description="This node's own key, which needs no entry.")
    added_at: str | None = Field(description="ISO 8601, UTC; null for the node's own.")


class TrustedKeys(Result):
    """The keys that are trusted here."""

    keys: list[TrustedKey]
