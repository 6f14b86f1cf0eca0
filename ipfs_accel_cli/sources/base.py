"""The contract of a source: pin a reference to a revision, list its files, open one at an offset."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.manifest import Manifest, Statement
from ipfs_accel_cli.sources.reference import Reference


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file at a source; whatever the source does not state is None.

    `path` is relative to the model's folder. `address` is for the source alone. A file with `local` set lies on this
    machine already and is read from there instead of being fetched; one that is `kept` lies in the content store, and
    its digest is checked when it is registered. With the same `validator` the source promises the same bytes. Among the
    archives of a packed source, one that is taken `as_is` is a file of the model itself.
    """

    path: str
    size_bytes: int | None = None
    sha256: bytes | None = None
    git_sha1: str | None = None
    address: str = ""
    local: Path | None = None
    kept: bool = False
    validator: str | None = None
    as_is: bool = False


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A reference pinned to one revision: the same snapshot names the same bytes for ever.

    `optional` holds the paths that are left out unless they are asked for; `facts` is what the source says about
    itself, without secrets and host names, and is kept with the model. A source that holds whole models states the
    `manifest` that the files must give, and what was `said` of it.
    """

    reference: Reference
    revision: str
    files: tuple[RemoteFile, ...]
    licence: str | None = None
    optional: frozenset[str] = frozenset()
    facts: Mapping[str, str | int] = field(default_factory=dict)
    manifest: Manifest | None = None
    said: tuple[Statement, ...] = ()

    def with_files(self, files: tuple[RemoteFile, ...]) -> Snapshot:
        """Return this snapshot with other files."""
        return replace(self, files=files)


class Entry(Protocol):
    """An entry of a directory in the content store, or the one file that a reference names."""

    @property
    def name(self) -> str: ...
    @property
    def cid(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def size_bytes(self) -> int | None: ...


class Listed(Protocol):
    """What a directory holds."""

    @property
    def entries(self) -> Sequence[Entry]: ...


@dataclass(frozen=True, slots=True)
class Found:
    """A file at a backend: its path below what was asked for, its key, and what the place states of it.

    `local` is where it lies on this machine, at a place that is a folder of it.
    """

    path: str
    key: str
    size_bytes: int
    sha256: bytes | None = None
    validator: str = ""
    local: Path | None = None


@dataclass(frozen=True, slots=True)
class Laid:
    """A DAG at a place that keeps files: what they lie under, the key of each by the CID of the file, its root block.

    `root_block` is None for a DAG that is one file.
    """

    path: str
    files: tuple[tuple[CID, Found], ...]
    root_block: bytes | None


@dataclass(frozen=True, slots=True)
class Arrived:
    """A file that was fetched from a backend and proven here: what it is, and where it lies there."""

    cid: CID
    locator: str
    size_bytes: int
    sha256: bytes


class Elsewhere(Protocol):
    """The configured backends, by name, for models that come from there; what comes is not verified unless it says so.

    All of them raise NotFound for a name that no backend has, and what the backends raise.
    """

    def keeps(self, name: str) -> Literal["files", "dags"]:
        """Say what a backend keeps; raises UnsupportedContent for one that gives no content."""
        ...

    def files(self, name: str, path: str, *, digests: bool = True) -> Iterator[Found]:
        """Yield the file of that key, or those below it, with `digests` as far as the place states them at all."""
        ...

    def laid(self, name: str, cid: CID) -> Laid | None:
        """Say how a DAG lies at a place that keeps files; None where it does not."""
        ...

    def read(self, name: str, key: str, offset: int = 0) -> Iterator[bytes]:
        """Yield a file's bytes."""
        ...

    def block(self, name: str, cid: CID) -> bytes:
        """Return a block from a place that keeps DAGs, verified."""
        ...

    def content(self, name: str, cid: CID, offset: int = 0) -> Iterator[bytes]:
        """Yield the bytes of a file from a place that keeps DAGs, each block of it verified."""
        ...

    def roots(self, name: str) -> Iterator[CID]:
        """Yield the roots that a place keeps; nothing where it has no list of them."""
        ...

    def arrived(self, name: str, root: CID, files: Sequence[Arrived]) -> None:
        """Remember that files of a DAG, which is whole here now, lie at a backend."""
        ...


class Content(Protocol):
    """The content store of this home, for the source that takes models from there, and the backends that it knows."""

    @property
    def elsewhere(self) -> Elsewhere: ...
    def ls(self, reference: str | CID | None = None) -> Listed: ...
    def block(self, cid: CID) -> bytes: ...
    def open(self, reference: str | CID, offset: int = 0) -> Iterable[bytes | memoryview]: ...
    def object_path(self, cid: CID) -> Path: ...
    def sha256(self, cid: CID) -> bytes: ...


class Source(Protocol):
    """A kind of place that models come from. Nothing of what it holds is ever run."""

    name: str

    def resolve(self, reference: Reference) -> Snapshot:
        """Pin a reference, without fetching content.

        Raises NotFound, NotAuthorised, TryAgain (it answered, a retry may help), Unavailable (it cannot be reached)
        and Offline.
        """
        ...

    def open(self, file: RemoteFile, offset: int = 0) -> Iterator[bytes]:
        """Yield the file's bytes from `offset` on; a broken connection raises TryAgain or Unavailable.

        The bytes are not verified: the caller does that against what the snapshot states.
        """
        ...


@runtime_checkable
class Versioned(Protocol):
    """A source that can name the newest revision much more cheaply than it resolves it."""

    def newest(self, reference: Reference) -> str | None:
        """Return the revision that `resolve` would pin, or None when that cannot be told cheaply."""
        ...


@dataclass(frozen=True, slots=True)
class Offer:
    """A model that a place says it has; what it does not say is empty or None.

    `revision` is what its reference would be pinned to now, `task` the place's own word for what the model does.
    """

    reference: str
    revision: str = ""
    task: str = ""
    licence: str = ""
    tags: tuple[str, ...] = ()
    downloads: int | None = None
    likes: int | None = None
    added_at: str = ""
    gated: bool = False
    kind: str = "model"


@runtime_checkable
class Searchable(Protocol):
    """A source that can be asked what it has."""

    def search(self, text: str, limit: int) -> Sequence[Offer]:
        """Return what fits the words, as the place ranks it; raises as `resolve` does."""
        ...


@runtime_checkable
class Remembering(Protocol):
    """A source of which is remembered where a model came from."""

    def arrived(self, snapshot: Snapshot, manifest: Manifest) -> None:
        """Remember where the files of a snapshot lie that were fetched, once the model is whole here."""
        ...


Writer = Callable[[Path, Iterable[bytes]], object]  # Makes a file of its bytes; its folder is there.


def plainly(target: Path, chunks: Iterable[bytes]) -> None:
    """Write a file that is not there yet."""
    with target.open("xb") as file:
        for chunk in chunks:
            file.write(chunk)


@runtime_checkable
class Ranged(Protocol):
    """A source that can send a stretch of a file and nothing else."""

    def part(self, file: RemoteFile, offset: int, length: int) -> bytes:
        """Return `length` bytes of a file from `offset` on, fewer at its end; raises as `open` does."""
        ...


@runtime_checkable
class Packed(Protocol):
    """A source whose files are archives that hold the model's files."""

    def unpack(
        self, snapshot: Snapshot, fetched: Mapping[str, Path], folder: Path, write: Writer = plainly
    ) -> Snapshot:
        """Write the model's files under `folder` and return the snapshot with these, each with `local` set.

        Each goes through `write`, so that it can be hashed while it is in memory. `fetched` maps the snapshot's paths
        to verified files. Raises UnsafeContent and MalformedContent for archives that break their own rules, NotFound
        when they hold no model, Invalid when they hold several.
        """
        ...
