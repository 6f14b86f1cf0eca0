"""What a migration is made of: places, what lies there, what was decided, and how it is to be done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ipfs_accel_cli.content.cid import CID

Action = Literal["copy", "move", "sync"]
Verify = Literal["full", "sample", "metadata"]
Symbol = Literal["=", "-", "+", "*", "!"]
Compare = Literal["auto", "size", "hash", "full"]
Kind = Literal["file", "dag", "model"]
State = Literal["pending", "done", "failed"]


@dataclass(frozen=True, slots=True)
class Place:
    """A backend and a path there, this store (`here`), or one DAG by its CID, which lies here or at `backend`.

    `model` is the name of a model that is here, with the bytes of its files, or that is to be here.
    """

    text: str
    backend: str
    path: str = ""
    cid: CID | None = None
    model: str = ""
    size_bytes: int | None = None


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


def doubted(step: Step, source: Place, destination: Place) -> list[tuple[str, str]]:
    """Return (backend, locator) of both sides of a step whose bytes are not what was remembered of them."""
    sides = ((source, step.source), (destination, step.destination))
    return [(place.backend, found.locator) for place, found in sides if found is not None]


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
    replaced: bool = False
