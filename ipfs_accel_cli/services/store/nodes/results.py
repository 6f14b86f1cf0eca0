"""What the commands about IPFS nodes return."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from ipfs_accel_cli.core.results import Result


class NodePeer(Result):
    """Another node of the network."""

    essence: ClassVar[str] = "id"

    id: str
    addresses: list[str] = Field(description="Multiaddresses; empty where none is told.")


class NodePeers(Result):
    """Nodes that a node knows."""

    essence: ClassVar[str] = "peers"

    on: str = Field(description="The backend that was asked.")
    peers: list[NodePeer]


class NodeConnection(Result):
    """What was done about a connection."""

    essence: ClassVar[str] = "address"

    on: str
    address: str
    connected: bool


class Provided(Result):
    """A CID that a node told the network it has."""

    essence: ClassVar[str] = "cid"

    on: str
    cid: str


class NodeStats(Result):
    """How much a node keeps, and what went over its network since it started."""

    essence: ClassVar[str] = "size_bytes"

    on: str
    blocks: int
    size_bytes: int
    max_bytes: int
    repo_version: str
    received_bytes: int = Field(description="Over the network, by any protocol.")
    sent_bytes: int
    receiving_bytes_s: float = Field(description="Now, each second.")
    sending_bytes_s: float
    exchanged_blocks_in: int = Field(description="By bitswap.")
    exchanged_blocks_out: int
    wanted: list[str] = Field(description="CIDs that it still looks for.")
    peers: list[str] = Field(description="Whom it exchanges blocks with.")


class NodeCollected(Result):
    """What a node removed because no pin and no path of its own held it."""

    essence: ClassVar[str] = "blocks"

    on: str
    blocks: int


class NodePing(Result):
    """How soon another node answered."""

    essence: ClassVar[str] = "mean_ms"

    on: str
    peer: str
    sent: int
    answered: int
    least_ms: float | None
    mean_ms: float | None
    most_ms: float | None


class NodeVerified(Result):
    """A repository of which every block is what its CID says."""

    essence: ClassVar[str] = "blocks"

    on: str
    blocks: int


class NodeRecord(Result):
    """A record of an IPNS name on the network, verified."""

    essence: ClassVar[str] = "value"

    on: str
    name: str
    value: str = Field(description="The path that it states.")
    sequence: int
    valid_until: str
    size_bytes: int
    path: str | None = Field(description="The file that it was read from or written to.")


class NodeEntry(Result):
    """What lies at a path of a node."""

    columns: ClassVar[tuple[str, ...]] = ("name", "kind", "size_bytes", "cid")
    essence: ClassVar[str] = "cid"

    name: str
    kind: Literal["file", "directory"]
    size_bytes: int
    cid: str


class NodeEntries(Result):
    """What lies in a directory of a node."""

    essence: ClassVar[str] = "entries"

    on: str
    path: str
    entries: list[NodeEntry]


class NodePathRemoved(Result):
    """A path that is no more."""

    essence: ClassVar[str] = "path"

    on: str
    path: str
