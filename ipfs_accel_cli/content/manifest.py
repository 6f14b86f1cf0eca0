"""Manifests, the identity of an artefact, and statements, what is said about one."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import dagcbor
from .cid import CID, DAG_CBOR
from .errors import Malformed
from .profiles import profile as find_profile
from .unixfs import check_name
from .varint import Buffer

MANIFEST_SCHEMA = "ipfs-accel/manifest/v1"
STATEMENT_SCHEMA = "ipfs-accel/statement/v1"


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A file of an artefact; sha-256 joins it to other stores, the CID to IPFS."""

    path: str
    size_bytes: int
    sha256: bytes
    cid: CID

    def __post_init__(self) -> None:
        if normalise_path(self.path) != self.path:
            raise Malformed(f"the path {self.path!r} is not in normal form")
        if not 0 <= self.size_bytes < 1 << 63:
            raise Malformed(f"{self.path}: {self.size_bytes} bytes is no size")
        if len(self.sha256) != 32:
            raise Malformed(f"{self.path}: a sha-256 has 32 bytes, not {len(self.sha256)}")


@dataclass(frozen=True, slots=True)
class Manifest:
    """The same files give the same manifest everywhere: only their content decides. Files are kept sorted by path."""

    profile: str
    root: CID
    files: tuple[FileEntry, ...]

    def __post_init__(self) -> None:
        find_profile(self.profile)
        _check_paths([entry.path for entry in self.files])
        object.__setattr__(self, "files", tuple(sorted(self.files, key=lambda entry: entry.path.encode("utf-8"))))

    @property
    def cid(self) -> CID:
        """Name the manifest: the CID of its canonical bytes."""
        return CID.of(self.encode(), DAG_CBOR)

    @property
    def size_bytes(self) -> int:
        """Count the bytes of all files."""
        return sum(entry.size_bytes for entry in self.files)

    def encode(self) -> bytes:
        """Write the canonical dag-cbor form."""
        files = [
            {"path": entry.path, "size": entry.size_bytes, "sha256": entry.sha256, "cid": entry.cid}
            for entry in self.files
        ]
        return dagcbor.encode({"schema": MANIFEST_SCHEMA, "profile": self.profile, "root": self.root, "files": files})

    @classmethod
    def decode(cls, data: Buffer) -> Manifest:
        """Read a manifest, which must be exactly what `encode` writes; raises Malformed."""
        fields = _typed(dagcbor.decode(data), {"schema": str, "profile": str, "root": CID, "files": list})
        _check_schema(fields["schema"], MANIFEST_SCHEMA)
        files = tuple(_decode_file(entry) for entry in fields["files"])
        manifest = cls(fields["profile"], fields["root"], files)
        if manifest.files != files:
            raise Malformed("the files of the manifest are not sorted by path")
        return manifest


@dataclass(frozen=True, slots=True)
class Statement:
    """Something said about a subject: `kind` names what the body holds (facts, licence, source …)."""

    subject: CID
    kind: str
    body: dict[str, Any] = field(hash=False)

    @property
    def cid(self) -> CID:
        """Name the statement: the CID of its canonical bytes."""
        return CID.of(self.encode(), DAG_CBOR)

    def encode(self) -> bytes:
        """Write the canonical dag-cbor form; raises Malformed when the body holds something that has none."""
        return dagcbor.encode(
            {"schema": STATEMENT_SCHEMA, "subject": self.subject, "kind": self.kind, "body": self.body}
        )

    @classmethod
    def decode(cls, data: Buffer) -> Statement:
        """Read a statement; raises Malformed."""
        fields = _typed(dagcbor.decode(data), {"schema": str, "subject": CID, "kind": str, "body": dict})
        _check_schema(fields["schema"], STATEMENT_SCHEMA)
        return cls(fields["subject"], fields["kind"], fields["body"])


def normalise_path(path: str) -> str:
    """Return a relative path in Unicode normal form C, with single slashes between its names.

    Raises Malformed for an absolute or empty path, a name that `unixfs.check_name` refuses, and a backslash, which
    would separate names on Windows.
    """
    normal = unicodedata.normalize("NFC", path)
    if "\\" in normal:
        raise Malformed(f"the path {path!r} holds a backslash")
    try:
        return "/".join(check_name(name) for name in normal.split("/"))
    except Malformed as error:
        raise Malformed(f"{path!r} is not a relative path: {error}") from None


def _check_paths(paths: Sequence[str]) -> None:
    files = set(paths)
    if len(files) != len(paths):
        raise Malformed("the manifest holds a path twice")
    for path in paths:
        clash = next((folder for folder in _folders(path) if folder in files), None)
        if clash is not None:
            raise Malformed(f"{clash!r} is a file and the folder of {path!r}")


def _folders(path: str) -> Iterable[str]:
    position = path.find("/")
    while position > 0:
        yield path[:position]
        position = path.find("/", position + 1)


def _decode_file(value: Any) -> FileEntry:
    fields = _typed(value, {"path": str, "size": int, "sha256": bytes, "cid": CID})
    return FileEntry(fields["path"], fields["size"], fields["sha256"], fields["cid"])


def _typed(value: Any, types: dict[str, type]) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) != set(types):
        raise Malformed(f"expected a map of {', '.join(types)}")
    for key, expected in types.items():
        # `type` and not isinstance, because True is an int.
        if type(value[key]) is not expected:
            raise Malformed(f"{key} is not of type {expected.__name__}")
    return value


def _check_schema(schema: str, expected: str) -> None:
    if schema != expected:
        raise Malformed(f"the schema is {schema[:80]!r}, not {expected!r}")
