"""What this service needs of the content store, which the node hands to it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from ipfs_accel_cli.content.builder import Built
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.profiles import Profile
from ipfs_accel_cli.sources.base import Listed


class Root(NamedTuple):
    """A reason to keep a DAG, in the form that the store takes."""

    cid: CID
    owner: str
    label: str
    kind: str


class StoredFile(Protocol):
    """A file that a session holds."""

    @property
    def cid(self) -> CID: ...
    @property
    def size_bytes(self) -> int: ...
    @property
    def sha256(self) -> bytes: ...


class Session(Protocol):
    """One writer's content, which enters the store at once or not at all."""

    @property
    def profile(self) -> Profile: ...
    def path(self, path: Path, *, link: bool = False, progress: Callable[[int], None] | None = None) -> StoredFile: ...
    def directory(self, files: Mapping[str, Any]) -> Built: ...
    def block(self, cid: CID, data: bytes) -> None: ...
    def commit(self, roots: Iterable[Any] = (), also: Callable[[sqlite3.Connection], None] | None = None) -> None: ...


class Checked(Protocol):
    """The outcome of hashing DAGs again."""

    @property
    def blocks(self) -> int: ...


class Collected(Protocol):
    """What gc removed, or would remove."""

    @property
    def freed_bytes(self) -> int: ...
    @property
    def objects(self) -> int: ...
    @property
    def blocks(self) -> int: ...


class Exported(Protocol):
    """A CAR file that was written."""

    @property
    def path(self) -> str: ...
    @property
    def roots(self) -> list[str]: ...
    @property
    def blocks(self) -> int: ...
    @property
    def size_bytes(self) -> int: ...
    @property
    def unchanged(self) -> bool: ...


class Store(Protocol):
    """Content by its address."""

    def session(self, profile: str | None = None) -> AbstractContextManager[Session]: ...
    def ls(self, reference: str | CID | None = None) -> Listed: ...
    def open(self, reference: str | CID, offset: int = 0) -> Iterable[bytes | memoryview]: ...
    def sha256(self, cid: CID) -> bytes: ...
    def block(self, cid: CID) -> bytes: ...
    def object_path(self, cid: CID) -> Path: ...
    def holding(self, sha256: bytes) -> Path | None: ...
    def verify(self, references: list[str | CID]) -> Checked: ...
    def gc(self, *, dry_run: bool = False) -> Collected: ...
    def release(self, connection: sqlite3.Connection, owner: str, label: str) -> int: ...
    def export_car(self, references: list[str | CID], output: Path) -> Exported: ...
