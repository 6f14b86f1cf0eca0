"""What the index takes from the rest of the node, which hands it over: content, models, and what is said of either."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, Protocol

from ipfs_accel_cli.extractors.base import Document, Fact

if TYPE_CHECKING:
    import numpy

_HEAD_BYTES = 1 << 16
Role = Literal["text", "query", "document"]


class Opened(Protocol):
    """A file's bytes at any offset."""

    size_bytes: int

    def read(self, offset: int, length: int) -> bytes: ...
    def close(self) -> None: ...


class Listed(Protocol):
    """An entry of a folder, or a root."""

    @property
    def cid(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def size_bytes(self) -> int | None: ...
    @property
    def owner(self) -> str | None: ...


class Listing(Protocol):
    """What a folder has, or what is kept."""

    @property
    def entries(self) -> Sequence[Any]: ...


class Said(Protocol):
    """What is said about a CID."""

    @property
    def meta(self) -> Mapping[str, Any]: ...


class Metadata(Protocol):
    """What is said about CIDs."""

    def get(self, subject: str) -> Said: ...


class Computed(Protocol):
    """What content would be called."""

    @property
    def cid(self) -> str: ...


class Store(Protocol):
    """Content by its address."""

    @property
    def metadata(self) -> Metadata: ...
    def ls(self, reference: str | None = None) -> Listing: ...
    def content(self, reference: str) -> Opened: ...
    def cid_of(self, paths: Iterable[Any]) -> Iterable[Computed]: ...


@dataclass(frozen=True, slots=True)
class ModelAbout:
    """A registered model as a document, under the CID of its manifest."""

    document: Document
    size_bytes: int
    added_at: str
    names: tuple[str, ...]
    root: str = ""


@dataclass(frozen=True, slots=True)
class Sharing:
    """Two models, by their manifests, and how many bytes of tensors are in both."""

    one: str
    other: str
    size_bytes: int


class Encoder(Protocol):
    """A loaded model that turns texts into vectors."""

    @property
    def model(self) -> str: ...
    @property
    def model_cid(self) -> str: ...
    def embed(self, texts: Sequence[str], role: Role) -> numpy.ndarray[Any, Any]: ...


@dataclass(frozen=True, slots=True)
class Beside:
    """What other services do for the index. `models` gives every manifest, `model` what is known of one.

    `sharing` reads the tensors of all models.
    """

    store: Store
    model: Callable[[str], ModelAbout | None] = lambda _manifest: None
    models: Callable[[], list[str]] = list
    find: Callable[[str], str] = str
    encoder: Callable[[str | None], AbstractContextManager[Encoder]] | None = None
    sharing: Callable[[], Iterable[Sharing]] = tuple
    automatic: Callable[[], bool] = lambda: True


class StoredContent:
    """A file of the store as extractors read it."""

    def __init__(self, opened: Opened, name: str) -> None:
        self.name, self.size_bytes, self._opened = name, opened.size_bytes, opened

    def head(self, count: int) -> bytes:
        """Return the first bytes."""
        return self._opened.read(0, min(count, self.size_bytes))

    def open(self) -> BinaryIO:
        """Open the file at its beginning."""
        return io.BufferedReader(_Raw(self._opened), _HEAD_BYTES)


class _Raw(io.RawIOBase):
    """Reads on from where it was told to; what is read stays open for others."""

    def __init__(self, opened: Opened) -> None:
        self._opened, self._at = opened, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._opened.size_bytes}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        count = max(0, min(len(view), self._opened.size_bytes - self._at))
        data = self._opened.read(self._at, count) if count else b""
        view[: len(data)] = data
        self._at += len(data)
        return len(data)


def facts_of(meta: Mapping[str, Any]) -> dict[str, Fact]:
    """Return what is said about content as facts: `meta.stars`, and the tags among it for what they are."""
    found: dict[str, Fact] = {}
    for key, value in meta.items():
        if isinstance(value, str | int | float | bool):
            found[f"meta.{key}"] = value
        elif isinstance(value, list) and all(isinstance(one, str) for one in value):
            found[f"meta.{key}"] = tuple(value)
    return found
