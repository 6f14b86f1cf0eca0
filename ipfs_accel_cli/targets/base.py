"""The contract of a target: say what a place has, send it what it lacks, and list what lies there afterwards."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ipfs_accel_cli.backends.base import Backend
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import NotAuthorised, VerificationFailed
from ipfs_accel_cli.core.hub import git_blob, states
from ipfs_accel_cli.sources import base as sources
from ipfs_accel_cli.sources.base import RemoteFile
from ipfs_accel_cli.sources.reference import Reference

READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Item:
    """A file on its way: its path at the place, what it must be there, and where its bytes lie, or the bytes."""

    path: str
    size_bytes: int
    sha256: bytes
    local: Path | None = None
    data: bytes = b""

    @classmethod
    def of(cls, path: str, data: bytes) -> Item:
        """Make an item of bytes in memory."""
        return cls(path, len(data), hashlib.sha256(data).digest(), data=data)

    def read(self, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Yield the bytes in pieces; asks whether to stop before each."""
        left = self.size_bytes - offset if length is None else length
        if self.local is None:
            yield self.data[offset : offset + left]
            return
        with self.local.open("rb") as file:
            file.seek(offset)
            while left > 0 and (piece := file.read(min(left, READ_BYTES))):
                current().check()
                left -= len(piece)
                yield piece

    def is_as(self, file: RemoteFile) -> bool:
        """Say whether a listed file is this one, by size and digest; what states no digest is not."""
        return states(file, self.size_bytes, self.sha256, self.git_sha1)

    def git_sha1(self) -> str:
        """Compute the id that git gives a file of this content."""
        hashed = git_blob(self.size_bytes)
        for piece in self.read():
            hashed.update(piece)
        return str(hashed.hexdigest())

    def is_sound(self) -> bool:
        """Say whether the bytes on this machine are what they must be."""
        hashed = hashlib.sha256()
        for piece in self.read():
            hashed.update(piece)
        return hashed.digest() == self.sha256


@dataclass(frozen=True, slots=True)
class Parcel:
    """A model on its way: its `name@version`, and all its files, those of its passport last.

    `manifest` is the CID as text. `came_from` names where the same files are known to lie too. In `notes` a target may
    keep what lets it go on after a crash.
    """

    name: str
    manifest: str
    items: tuple[Item, ...]
    licence: str | None = None
    came_from: tuple[Reference, ...] = ()
    notes: Path | None = None
    create: bool = False
    private: bool = False


@dataclass(frozen=True, slots=True)
class Holding:
    """What a place has before anything is sent.

    `revision` is None where nothing of that name is there yet. `present` are the paths of the parcel whose bytes need
    not be sent; it is `settled` when the name at the place means the parcel already. `others` are paths that the
    parcel does not have and that would stay under the name.
    """

    revision: str | None = None
    present: frozenset[str] = frozenset()
    settled: bool = False
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sent:
    """What lies at the place now: the reference that names it for ever, as far as the place has such names."""

    reference: Reference
    revision: str
    sent_bytes: int | None = None  # where the target can tell; an upload that went on, or that was not needed, is less


@dataclass(frozen=True, slots=True)
class Delivery:
    """What is to be done: items that are not `present` are sent, `removed` are paths of no use any more."""

    parcel: Parcel
    holding: Holding
    removed: tuple[str, ...] = ()

    @property
    def missing(self) -> tuple[Item, ...]:
        """Return the items that the place lacks."""
        return tuple(item for item in self.parcel.items if item.path not in self.holding.present)


class Copied(Protocol):
    """What became of a DAG that was sent."""

    @property
    def sent_bytes(self) -> int: ...


class Elsewhere(sources.Elsewhere, Protocol):
    """The configured backends, for models that go there."""

    def open(self, name: str) -> Backend:
        """Return a backend, whose receipts are proven."""
        ...

    def is_laid(self, name: str, cid: CID, path: str) -> bool:
        """Say whether a whole DAG lies under a path of a place that keeps files."""
        ...

    def copy(self, cid: CID, place: str) -> Copied:
        """Send a DAG of this store to `NAME:` or `NAME:PATH`; what is there does not travel, and it is remembered."""
        ...

    def proven(self, name: str, key: str) -> bytes | None:
        """Return the sha-256 that a file at a place was proven to have; None where that was not done here."""
        ...


class TakesContent(Protocol):
    """What a target is made with that goes through the content store of this home."""

    @property
    def elsewhere(self) -> Elsewhere: ...


class Target(Protocol):
    """A kind of place that models are handed to. Everything it raises is an error of ours.

    NotAuthorised for a login that is missing or refused, Unavailable for a server that is down, TryAgain, NotFound for
    a place that must be made first, Conflict where somebody else changed it meanwhile, DiskFull.
    """

    name: str

    def check(self, place: Reference) -> Reference:
        """Return the place in the form that the other methods take; raises Invalid for one that cannot be pushed to."""
        ...

    def read(self, place: Reference, path: str) -> bytes | None:
        """Return the bytes of a small file that lies at the place; None where there is none."""
        ...

    def look(self, place: Reference, parcel: Parcel) -> Holding:
        """Say what the place has; nothing is changed there. Raises NotFound where only `create` would make it."""
        ...

    def refuse(self, place: Reference, delivery: Delivery) -> None:
        """Raise what `send` would, as far as that can be told while nothing is changed."""
        ...

    def send(self, place: Reference, delivery: Delivery) -> Sent:
        """Bring what is missing, and let the place name the parcel; what is `settled` is only named.

        Either all of it is named afterwards or none; what was sent before a failure is not sent again. The bytes are
        checked as they leave. Raises VerificationFailed for a file that is damaged on this machine.
        """
        ...

    def listed(self, sent: Sent, parcel: Parcel) -> Sequence[RemoteFile]:
        """Ask the place anew what lies under the reference: the parcel's files with their digests."""
        ...


@dataclass(slots=True)
class Progress:
    """The bytes of a push that are done, for the call that waits."""

    total_bytes: int
    done_bytes: int = 0

    def add(self, count: int, path: str) -> None:
        """Report further bytes of a file; raises Cancelled when the caller has gone."""
        self.done_bytes += count
        current().progress(self.done_bytes, self.total_bytes, f"Sending {path}", unit="bytes")


def owner_only(place: Reference) -> None:
    """Raise NotAuthorised unless the owner asks: whoever sends over the network does so under the owner's name."""
    if current().folders is not None:
        raise NotAuthorised(
            f"only the owner's own shell pushes to {place.scheme}://, because it is done with the owner's logins",
            suggestion=f"ipfs-accel model push NAME {place}",
        )
    current().needs_network(f"pushing to {place}")


def damaged(item: Item, parcel: Parcel) -> VerificationFailed:
    """Return the error for a file whose bytes on this machine are not what they must be."""
    return VerificationFailed(
        f"{item.path} is damaged in the store, and was not sent", suggestion=f"ipfs-accel model repair {parcel.name}"
    )
