"""The contracts of a backend: a place that keeps files, DAGs or pins.

Every backend is a `Backend`; what it can do beyond that is a contract of its own, asked for with `isinstance`. All of
them raise errors of ours: NotFound, NotAuthorised for a login that is missing or refused, Unavailable for a server that
is down, TryAgain for one that is busy or broke off, Conflict where somebody else was first, DiskFull, LimitReached, and
VerificationFailed for bytes that are not what they must be. Each checks now and then whether the call shall stop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from ipfs_accel_cli.backends.config import Config as Config
from ipfs_accel_cli.content.car import Block
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.parts import Limits

Proof = Literal["checksum", "cid", "reread", "none"]
"""How what was put is known to have arrived; `reread` is said by wrappers that have read it back themselves."""
Scope = Literal["block", "entity", "all"]


@dataclass(frozen=True, slots=True)
class Traits:
    """What a place is like, as data.

    `ranged`: `open` reads from an offset without reading what lies before. `settles_later`: what was put is not there
    at once. `max_bytes` is the most that one file may have, None where there is no known bound.
    `in_parts` is how larger ones travel that are cut for it. `tells_new`: its receipts say whether a put brought the
    file. `reads_back`: as it is configured, it gives what it keeps.
    """

    read_only: bool = False
    ranged: bool = True
    lists: bool = True
    deletes: bool = True
    addresses_by_cid: bool = False
    settles_later: bool = False
    region: str | None = None
    max_bytes: int | None = None
    in_parts: Limits | None = None
    tells_new: bool = False
    reads_back: bool = True


@dataclass(frozen=True, slots=True)
class Body:
    """Bytes to be put: they can be read again from any offset, and what they must be is known beforehand.

    `read(offset, length)` yields the bytes from an offset on, to the end where the length is None. `local` is a file
    with exactly these bytes, where there is one.
    """

    size_bytes: int
    sha256: bytes
    read: Callable[[int, int | None], Iterator[bytes | memoryview]]
    cid: CID | None = None
    local: Path | None = None


@dataclass(frozen=True, slots=True)
class Blocks:
    """The blocks of a DAG that can be gone through again, parents first: each `iter` begins anew."""

    begin: Callable[[], Iterator[tuple[CID, bytes]]]

    def __iter__(self) -> Iterator[tuple[CID, bytes]]:
        return self.begin()


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a place answered to a put: `open(locator)` gives the bytes.

    `proof` says what the place itself has stated about them after they arrived: their sha-256 (`checksum`), their CID
    (`cid`), or nothing that proves them (`none`), so that they must be read back. `via` is the server that took them,
    where a place has several. `sent_bytes` is how much of a DAG the place did not have; None where it was not asked.
    `new` says whether nothing was there before, and `etag` is what the place will list of just these bytes; None where
    it did not say.
    """

    locator: str
    size_bytes: int
    proof: Proof = "none"
    via: str = ""
    sent_bytes: int | None = None
    new: bool | None = None
    etag: str | None = None


@dataclass(frozen=True, slots=True)
class Stat:
    """A file at a place; whatever the place does not state is None. `key` is what it was put under."""

    key: str
    locator: str
    size_bytes: int
    sha256: bytes | None = None
    cid: CID | None = None
    etag: str | None = None
    modified_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """How a place is: `reachable` is None where that is not known. `lacks` names the calls that it does not have."""

    reachable: bool | None
    detail: str
    latency_ms: float | None = None
    version: str | None = None
    writable: bool | None = None
    lacks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pin:
    """A pin at a place."""

    cid: CID
    status: Literal["queued", "pinning", "pinned", "failed"]
    name: str = ""
    id: str = ""
    created_at: datetime | None = None
    detail: str = ""


class Backend(Protocol):
    """A place, made of a Config; making one opens no connection."""

    name: str
    traits: Traits

    def health(self) -> Health:
        """Ask the place how it is; what is wrong with it is told in the answer and not raised, except Offline."""
        ...


@runtime_checkable
class Files(Protocol):
    """A place that keeps files under keys: paths of `/`-separated names, none of them empty, `.` or `..`."""

    def put(self, body: Body, key: str) -> Receipt:
        """Keep a file under a key; may be called again with the same. What is there with other bytes is a Conflict.

        Nothing is visible under the key before all of it is. After a crash the same call goes on or begins anew.
        """
        ...

    def open(self, locator: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Yield the bytes from an offset on; a length beyond the end is cut. Raises NotFound before the first."""
        ...

    def stat(self, key: str) -> Stat | None:
        """Say what lies under a key; None where nothing does."""
        ...

    def scan(self, prefix: str = "") -> Iterator[Stat]:
        """Yield all files whose key begins with a prefix, in the order of their keys."""
        ...

    def delete(self, locator: str) -> None:
        """Remove a file; what is gone already is no error."""
        ...


@runtime_checkable
class Replaces(Protocol):
    """A place of files where new bytes take the place of old ones at once: readers, and crashes, find either whole."""

    def replace(self, body: Body, key: str, seen: Stat) -> Receipt:
        """Keep a file where `seen` lies; again is no error. Raises Conflict where something else lies there by now."""
        ...

    def guards(self) -> bool:
        """Say whether the place itself refuses where `seen` changed; else it was looked at just before."""
        ...


@runtime_checkable
class OnDisk(Protocol):
    """A place of files that is a folder of this machine."""

    def path(self, locator: str) -> Path:
        """Return where a file lies; whether it does is not looked at."""
        ...


@runtime_checkable
class Dags(Protocol):
    """A place that gives DAGs by their root."""

    def get_dag(
        self, root: CID, path: str = "", scope: Scope = "all", span: tuple[int, int | None] | None = None
    ) -> Iterator[Block]:
        """Yield the blocks of a DAG, parents before children, each proven to be what its CID says and to belong there.

        `scope` and `span` (first and last byte, as `entity-bytes`) are those of the trustless gateway specification
        (https://specs.ipfs.tech/http-gateways/trustless-gateway/). A block may come more than once. Raises NotFound.
        """
        ...

    def has(self, cids: Sequence[CID]) -> set[CID]:
        """Return those CIDs whose root block the place has."""
        ...


@runtime_checkable
class TakesDags(Protocol):
    """A place that takes DAGs."""

    def put_dag(self, root: CID, blocks: Iterable[tuple[CID, bytes]]) -> Receipt:
        """Bring a whole DAG and keep it; the locator is its CID. Raises VerificationFailed where another returns.

        What the place took before a crash does not travel again, as far as it can be asked or a note was kept.
        After a failure it may be called again with the same `Blocks`, but not with an iterator: that is used up.
        """
        ...

    def remove_dag(self, root: CID) -> None:
        """Stop keeping a DAG; what is gone already is no error."""
        ...

    def dags(self) -> Iterator[CID]:
        """Yield the roots that are kept."""
        ...


@runtime_checkable
class Pins(Protocol):
    """A place that is told by CID what to keep, and fetches it itself."""

    def pin(self, cid: CID, name: str = "", origins: Sequence[str] = ()) -> Pin:
        """Ask for a DAG to be kept; `origins` are multiaddresses where it lies. The same again makes no second pin."""
        ...

    def pins(self, cid: CID | None = None, name: str | None = None, status: str | None = None) -> Iterator[Pin]:
        """Yield the pins of any status, newest first, or those that are asked for."""
        ...

    def unpin(self, cid: CID) -> None:
        """Take all pins off a CID; what has none is no error."""
        ...


@runtime_checkable
class Batch(Protocol):
    """A place where many files become visible with one commit."""

    def put_all(self, bodies: Sequence[tuple[Body, str]]) -> Sequence[Receipt]:
        """Keep files under their keys, all of them or none; as `Files.put` otherwise."""
        ...


@runtime_checkable
class Sweeps(Protocol):
    """A place where uploads that were never finished stay behind, and cost."""

    def sweep(self, before: datetime) -> int:
        """Remove those that began before a moment and that no note of ours would let go on; return how many."""
        ...


@runtime_checkable
class Names(Protocol):
    """A place that keeps signed IPNS records (https://specs.ipfs.tech/ipns/ipns-record/)."""

    def publish(self, name: CID, record: bytes) -> None:
        """Bring a record under its name, the CID of a libp2p key."""
        ...

    def resolve(self, name: CID) -> bytes:
        """Return the newest record that the place knows, not yet verified; raises NotFound."""
        ...
