"""A version of a sidecar: a dag-cbor block with all entries, which names the versions that it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ipfs_accel_cli.content import dagcbor
from ipfs_accel_cli.content.cid import CID, DAG_CBOR
from ipfs_accel_cli.content.errors import Malformed
from ipfs_accel_cli.core.errors import Invalid, LimitReached, MalformedContent

MAX_BYTES = 256 * 1024
_SCHEMA = "ipfs-accel/meta@1"
_MEMBERS = {"schema", "subject", "parents", "entries"}
_MAX_KEY = 255
_MAX_PARENTS = 64


@dataclass(frozen=True, slots=True)
class Version:
    """What was said about a CID at one time. It holds no time and no writer: the same merge is the same version."""

    subject: CID
    entries: Mapping[str, Any]
    parents: tuple[CID, ...] = ()

    def encode(self) -> tuple[CID, bytes]:
        """Return its block; raises Invalid for what is no JSON, and LimitReached beyond 256 KiB."""
        for key, value in self.entries.items():
            checked_key(key)
            if not _is_json(value):
                raise Invalid(f"the value of {key!r} is no JSON")
        document = {
            "schema": _SCHEMA,
            "subject": self.subject.to_v1(),
            "parents": sorted(self.parents, key=bytes),
            "entries": dict(self.entries),
        }
        try:
            block = dagcbor.encode(document)
        except Malformed as error:
            raise Invalid(f"these entries cannot be kept: {error}") from error
        if len(block) > MAX_BYTES:
            raise LimitReached(f"the metadata of a CID has {MAX_BYTES} bytes at most, and this has {len(block)}")
        return CID.of(block, DAG_CBOR), block

    @classmethod
    def decode(cls, block: bytes) -> Version:
        """Read such a block; raises MalformedContent."""
        try:
            document = dagcbor.decode(block)
        except Malformed as error:
            raise MalformedContent(f"this is no version of metadata: {error}") from error
        if not isinstance(document, dict) or document.get("schema") != _SCHEMA or set(document) != _MEMBERS:
            raise MalformedContent("this is no version of metadata")
        subject, parents, entries = document["subject"], document["parents"], document["entries"]
        if not isinstance(subject, CID) or not isinstance(entries, dict) or not _are_cids(parents):
            raise MalformedContent("a version of metadata is damaged")
        try:
            sound = all(checked_key(key) and _is_json(value) for key, value in entries.items())
        except Invalid as error:
            raise MalformedContent(f"a version of metadata is damaged: {error.detail}") from error
        if not sound or len(block) > MAX_BYTES:
            raise MalformedContent("a version of metadata is damaged: it holds what is no JSON, or too much of it")
        return cls(subject, entries, tuple(parents))


def checked_key(key: str) -> str:
    """Return a key; raises Invalid for one that cannot be typed as KEY=VALUE."""
    if not key or "=" in key or not key.isprintable() or len(key.encode("utf-8", "surrogatepass")) > _MAX_KEY:
        raise Invalid(f"{key[:80]!r} is no key: 1 to {_MAX_KEY} bytes that can be printed, and no = among them")
    return key


def _are_cids(parents: Any) -> bool:
    return (
        isinstance(parents, list)
        and len(parents) <= _MAX_PARENTS
        and all(isinstance(parent, CID) for parent in parents)
    )


def _is_json(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(_is_json, value))
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_json(inner) for key, inner in value.items())
    return value is None or isinstance(value, bool | int | float | str)
