"""Envelopes: small objects that say where encrypted content lies and hold its key, wrapped for its recipients.

The content is a DAG of its own, so that other recipients get another envelope over the same content. The key of a
folder opens its index, which holds the names and the keys of its files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from . import dagcbor
from .cid import CID, DAG_CBOR
from .errors import Malformed, OverLimit, Unsupported
from .sealed import KEY_BYTES, SEGMENT_BYTES
from .unixfs import check_name
from .varint import Buffer

SCHEMA = "ipfs-accel/sealed/v1"
INDEX_SCHEMA = "ipfs-accel/sealed-index/v1"
INDEX_NAME = "index"  # Of the encrypted index among the encrypted files of a folder.
MAX_BYTES = 1 << 20
MAX_INDEX_BYTES = 64 << 20

_FIELDS = {"schema": str, "kind": str, "content": CID, "size": int, "segment": int, "keys": bytes}


@dataclass(frozen=True, slots=True)
class Envelope:
    """`content` is an encrypted file, or a directory of them; `size_bytes` counts what it holds, decrypted.

    `keys` is the secret (`Secret`) as an age file, which says in its head for whom.
    """

    kind: Literal["file", "folder"]
    content: CID
    size_bytes: int
    keys: bytes

    @property
    def cid(self) -> CID:
        """Name the envelope: the CID of its canonical bytes."""
        return CID.of(self.encode(), DAG_CBOR)

    def encode(self) -> bytes:
        """Write the canonical dag-cbor form; raises OverLimit beyond 1 MiB, which too many recipients make."""
        fields = {
            "schema": SCHEMA,
            "kind": self.kind,
            "content": self.content,
            "size": self.size_bytes,
            "segment": SEGMENT_BYTES,
            "keys": self.keys,
        }
        data = dagcbor.encode(fields)
        if len(data) > MAX_BYTES:
            raise OverLimit(f"an envelope has {MAX_BYTES} bytes at most, and so many recipients need {len(data)}")
        return data

    @classmethod
    def decode(cls, data: Buffer) -> Envelope:
        """Read an envelope; raises Malformed, and Unsupported for segments of another size."""
        if len(data) > MAX_BYTES:
            raise OverLimit(f"an envelope has {MAX_BYTES} bytes at most")
        fields = _typed(dagcbor.decode(data), _FIELDS)
        if fields["schema"] != SCHEMA:
            raise Malformed(f"the schema is {fields['schema'][:80]!r}, not {SCHEMA!r}")
        if fields["kind"] not in ("file", "folder") or not 0 <= fields["size"] < 1 << 63:
            raise Malformed("an envelope is that of a file or of a folder, with its size")
        if fields["segment"] != SEGMENT_BYTES:
            raise Unsupported(f"encrypted segments of {fields['segment']} bytes; only {SEGMENT_BYTES} are read here")
        return cls(fields["kind"], fields["content"], fields["size"], fields["keys"])


def find(cid: CID, data: bytes) -> Envelope | None:
    """Return the envelope that a block is, None where it is something else."""
    if cid.codec != DAG_CBOR or SCHEMA.encode() not in data:
        return None
    try:
        return Envelope.decode(data)
    except Malformed:
        return None


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """What is wrapped for the recipients: the key, and who they are, so that they can be told apart later."""

    key: bytes
    recipients: tuple[str, ...]

    def encode(self) -> bytes:
        """Write the dag-cbor form."""
        return dagcbor.encode({"key": self.key, "recipients": list(self.recipients)})

    @classmethod
    def decode(cls, data: Buffer) -> Secret:
        """Read a secret; raises Malformed."""
        fields = _typed(dagcbor.decode(data), {"key": bytes, "recipients": list})
        if len(fields["key"]) != KEY_BYTES or not all(isinstance(one, str) for one in fields["recipients"]):
            raise Malformed("a secret is a key and its recipients")
        return cls(fields["key"], tuple(fields["recipients"]))


@dataclass(frozen=True, slots=True, repr=False)
class Sealed:
    """An entry of an encrypted folder: a file with its key, a folder, or a symbolic link with its target."""

    path: str
    kind: Literal["file", "folder", "link"]
    size_bytes: int = 0
    content: CID | None = None
    key: bytes = b""
    target: str = ""


def encode_index(entries: list[Sealed]) -> bytes:
    """Write the index of a folder in the order of paths; raises OverLimit beyond 64 MiB."""
    ordered = sorted(entries, key=lambda entry: entry.path.encode())
    data = dagcbor.encode({"schema": INDEX_SCHEMA, "entries": [_written(entry) for entry in ordered]})
    if len(data) > MAX_INDEX_BYTES:
        raise OverLimit(f"the index of an encrypted folder has {MAX_INDEX_BYTES} bytes at most, not {len(data)}")
    return data


def decode_index(data: Buffer) -> list[Sealed]:
    """Read the index of a folder; raises Malformed, also for a path that leaves it or is there twice."""
    fields = _typed(dagcbor.decode(data), {"schema": str, "entries": list})
    if fields["schema"] != INDEX_SCHEMA:
        raise Malformed(f"the schema is {fields['schema'][:80]!r}, not {INDEX_SCHEMA!r}")
    entries = [_read(value) for value in fields["entries"]]
    kinds = {entry.path: entry.kind for entry in entries}
    if len(kinds) != len(entries):
        raise Malformed("the index holds a path twice")
    for path in kinds:
        folder = path.rpartition("/")[0]
        if folder and kinds.get(folder) != "folder":
            raise Malformed(f"the index holds {path!r} and no folder {folder!r}")
    return entries


def _written(entry: Sealed) -> dict[str, Any]:
    if entry.kind == "file":
        more = {"size": entry.size_bytes, "content": entry.content, "key": entry.key}
        return {"path": entry.path, "kind": "file", **more}
    return {"path": entry.path, "kind": entry.kind} | ({"target": entry.target} if entry.kind == "link" else {})


def _read(value: Any) -> Sealed:
    kind = value.get("kind") if isinstance(value, dict) else None
    if kind == "file":
        fields = _typed(value, {"path": str, "kind": str, "size": int, "content": CID, "key": bytes})
        if len(fields["key"]) != KEY_BYTES or not 0 <= fields["size"] < 1 << 63:
            raise Malformed("a file of the index has a size and a key")
        return Sealed(_path(fields["path"]), "file", fields["size"], fields["content"], fields["key"])
    if kind == "link":
        fields = _typed(value, {"path": str, "kind": str, "target": str})
        return Sealed(_path(fields["path"]), "link", target=fields["target"])
    if kind == "folder":
        return Sealed(_path(_typed(value, {"path": str, "kind": str})["path"]), "folder")
    raise Malformed("an entry of the index is a file, a folder or a link")


def _path(text: str) -> str:
    return "/".join(check_name(name) for name in text.split("/"))


def _typed(value: Any, types: dict[str, type]) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) != set(types):
        raise Malformed(f"expected a map of {', '.join(types)}")
    for key, expected in types.items():
        # `type` and not isinstance, because True is an int.
        if type(value[key]) is not expected:
            raise Malformed(f"{key} is not of type {expected.__name__}")
    return value
