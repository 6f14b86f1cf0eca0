"""What a migration is made of: places, what lies there, what was decided, and how it is to be done."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from ipfs_accel_cli.content.cid import CID

Action = Literal["copy", "move", "sync"]
Verify = Literal["full", "sample", "metadata"]
Symbol = Literal["=", "-", "+", "*", "!"]
Compare = Literal["auto", "size", "hash", "full"]
Kind = Literal["file", "dag"]
State = Literal["pending", "done", "failed"]


@dataclass(frozen=True, slots=True)
class Place:
    """A backend and a path there, this store (`here`), or one DAG by its CID, which lies here or at `backend`."""

    text: str
    backend: str
    path: str = ""
    cid: CID | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """A file under its name below the path of a place, or a DAG by its CID; what is not known is None."""

    name: str
    kind: Kind
    locator: str
    size_bytes: int | None = None
    sha256: bytes | None = None
    cid: str | None = None
    etag: str | None = None
    modified_at: datetime | None = None


def described(size_bytes: int | None, etag: str | None, modified_at: datetime | None) -> str:
    """Return what changes when the bytes do, as far as their place tells."""
    return f"{size_bytes}|{etag or ''}|{'' if modified_at is None else modified_at.isoformat()}"


def is_still(before: str, size_bytes: int, etag: str | None, modified_at: datetime | None) -> bool:
    """Say whether a file is what was described so before; a strong tag tells it without the time."""
    if is_strong(etag) and before == f"{size_bytes}|{etag}|":
        return True
    return before == described(size_bytes, etag, modified_at)


def is_strong(etag: str | None) -> bool:
    """Say whether a tag changes with every change of the bytes (RFC 9110, section 8.8.1)."""
    return bool(etag) and not str(etag).startswith("W/")


@dataclass(frozen=True, slots=True)
class Step:
    """One item of a plan: what lies at the source, at the destination, and what is to be done about it."""

    name: str
    kind: Kind
    symbol: Symbol
    todo: Literal["", "copy", "replace", "delete", "take"]
    source: Listed | None
    destination: Listed | None
    why: str = ""

    @property
    def size_bytes(self) -> int | None:
        """Return the bytes that this is about."""
        found = self.source or self.destination
        return None if found is None else found.size_bytes


@dataclass(frozen=True, slots=True)
class Options:
    """How a migration is done; `take` in a plan of a move is what is there already and only leaves the source."""

    action: Action = "copy"
    verify: Verify = "metadata"
    transfers: int = 4
    bwlimit: str = ""
    max_transfer: int | None = None
    immutable: bool = False
    delete: bool = False
    force: bool = False
    where: str | None = None
    compare: Compare = "auto"
    retries: int = 3
    policy: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """What is known of an item after it has arrived, before it is written down."""

    locator: str
    size_bytes: int
    sent_bytes: int
    sha256: bytes | None
    cid: str
    proof: str
    verified: Verify
    attempts: int = 1
    print: str = ""
    there: str = ""
    seconds: float = 0.0
    began_at: str = ""
    more: dict[str, str] = field(default_factory=dict)
