"""What a node says, whatever words its kind has for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.errors import ContentError
from ipfs_accel_cli.core.errors import Unavailable


@dataclass(frozen=True, slots=True)
class Version:
    """What runs there; `checks_blocks` says that it is known to hash each block that it takes."""

    number: str
    agent: str
    checks_blocks: bool


@dataclass(frozen=True, slots=True)
class Identity:
    """A node's own name, and the addresses that it can be reached at."""

    id: str
    agent: str
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Key:
    """A key that a node holds: what it calls it, and the name that it publishes under."""

    name: str
    id: str


@dataclass(frozen=True, slots=True)
class Peer:
    """Another node, and where it can be reached."""

    id: str
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """What lies at a mutable path."""

    name: str
    kind: Literal["file", "directory"]
    size_bytes: int
    cid: CID


@dataclass(frozen=True, slots=True)
class Repo:
    """How much a node keeps, and may keep."""

    blocks: int
    size_bytes: int
    max_bytes: int
    version: str


@dataclass(frozen=True, slots=True)
class Traffic:
    """What went over the network since the node started."""

    received_bytes: int
    sent_bytes: int
    received_bytes_s: float
    sent_bytes_s: float


@dataclass(frozen=True, slots=True)
class Exchange:
    """What the node exchanged with others by bitswap, and what it still wants."""

    blocks_received: int
    blocks_sent: int
    received_bytes: int
    sent_bytes: int
    peers: tuple[str, ...]
    wanted: tuple[CID, ...]


def whole(told: Any, field: str) -> int:
    """Return a number that some nodes write as text; raises Unavailable where there is none."""
    value: Any = told.get(field) if hasattr(told, "get") else None
    try:
        return int(value)
    except (TypeError, ValueError) as error:
        raise Unavailable(f"the node does not say {field} as a number") from error


def text(told: Any, field: str) -> str:
    """Return a text; raises Unavailable where there is none."""
    value = told.get(field) if hasattr(told, "get") else None
    if not isinstance(value, str):
        raise Unavailable(f"the node does not say {field}")
    return value


def rows(told: Any, field: str) -> list[Any]:
    """Return a list, which some nodes leave out or write as null where it is empty."""
    value = told.get(field) if hasattr(told, "get") else None
    return list(value) if isinstance(value, list) else []


def cid(value: Any) -> CID:
    """Return a CID, in whatever base it is written and also as `{"/": …}`; raises Unavailable for what is none."""
    inner = value.get("/") if hasattr(value, "get") else value
    try:
        return CID.parse(str(inner))
    except ContentError as error:
        raise Unavailable(f"the node answers with {str(inner)[:80]!r}, which is no CID") from error
