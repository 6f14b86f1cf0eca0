"""What the commands about IPNS keys and names return."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from ipfs_accel_cli.core.results import Result


class Key(Result):
    """An IPNS key, by its public half."""

    columns: ClassVar[tuple[str, ...]] = ("key", "name")
    essence: ClassVar[str] = "name"

    key: str = Field(description="What it is called here.")
    name: str = Field(description="Its IPNS name: a CID with codec libp2p-key in base36.")
    peer_id: str = Field(description="The same in bare base58, as older software writes it.")


class Keys(Result):
    """The IPNS keys of this home."""

    essence: ClassVar[str] = "keys"

    keys: list[Key]


class ExportedKey(Result):
    """A private key that was written to a file."""

    essence: ClassVar[str] = "path"

    key: str
    path: str
    format: str = Field(description="pem (PKCS #8), libp2p-protobuf-cleartext, or age.")


class Named(Result):
    """A record that is kept here."""

    columns: ClassVar[tuple[str, ...]] = ("name", "key", "value", "sequence", "valid_until", "expired")
    essence: ClassVar[str] = "name"

    name: str
    key: str | None = Field(description="The key of this home that signs it.")
    value: str = Field(description="The path that it states.")
    sequence: int
    valid_until: str
    expired: bool
    kept_at: str = Field(description="When it came, in UTC.")


class NameList(Result):
    """The names whose records are kept here."""

    essence: ClassVar[str] = "names"

    names: list[Named]


class Published(Result):
    """A record that was signed and kept, and where it was brought."""

    columns: ClassVar[tuple[str, ...]] = ("name", "value", "sequence", "valid_until", "backends")
    essence: ClassVar[str] = "name"

    name: str
    key: str
    value: str
    sequence: int
    valid_until: str
    ttl_seconds: float
    backends: list[str] = Field(description="Backends that took it.")


class ResolvedName(Result):
    """Where a name leads."""

    columns: ClassVar[tuple[str, ...]] = ("name", "path", "sequence", "valid_until")
    essence: ClassVar[str] = "path"

    name: str
    path: str = Field(description="Beginning with /ipfs/.")
    cid: str = Field(description="The root that the path begins with.")
    sequence: int = Field(description="Of the first record on the way.")
    valid_until: str = Field(description="The earliest end of all records on the way.")
    ttl_seconds: float = Field(description="The shortest time for which all of them may be held.")
    hops: int = Field(description="How many records were followed.")


class InspectedName(Result):
    """A record taken apart."""

    essence: ClassVar[str] = "value"

    name: str | None = Field(description="The name that it was checked against; null where none was known.")
    value: str
    sequence: int
    valid_until: str
    expired: bool
    ttl_seconds: float
    verified: bool = Field(description="The key of the name signed it.")
    trouble: str | None = Field(description="Why it is not verified.")
    key_type: str | None = Field(description="ed25519, rsa, secp256k1 or ecdsa, where the key is known.")
    legacy: bool = Field(description="It also has the fields of version 1.")
    size_bytes: int


class VerifiedName(Result):
    """A record that the key of its name signed and whose time is not over."""

    essence: ClassVar[str] = "value"

    name: str
    value: str
    sequence: int
    valid_until: str


class RecordFile(Result):
    """A record in a file, and in this home."""

    essence: ClassVar[str] = "name"

    name: str
    path: str
    sequence: int
    valid_until: str
    unchanged: bool = Field(description="Nothing was written: the same, or a newer one, was there already.")
