"""Sidecars at a place that keeps files: each version a file under its own CID, so that no writer replaces another's.

    .ipfs-accel/CID/meta-VERSION.cbor

The newest are those that no other names as its parent: several where several machines wrote at the same time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from itertools import groupby

from ipfs_accel_cli.backends.base import Backend, Batch, Body, Files
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.errors import ContentError, Mismatch
from ipfs_accel_cli.core.errors import UnsupportedContent, VerificationFailed
from ipfs_accel_cli.services.store.backends import layout
from ipfs_accel_cli.services.store.backends.sending import reread
from ipfs_accel_cli.services.store.metadata.table import of_subject
from ipfs_accel_cli.services.store.metadata.version import MAX_BYTES, Version

_BEFORE, _AFTER = "meta-", ".cbor"


class Shelf:
    """The sidecars at one backend."""

    def __init__(self, backend: Backend) -> None:
        if not isinstance(backend, Files):
            raise UnsupportedContent(
                f"{backend.name} keeps no files, and so no metadata beside content",
                suggestion=f"ipfs-accel store backend show {backend.name}",
            )
        self._files: Files = backend
        self._name = backend.name

    def all(self) -> Iterator[tuple[CID, list[CID]]]:
        """Yield what there is metadata about, with its versions: one listing."""
        return self._listed(f"{layout.FOLDER}/")

    def versions(self, subject: CID) -> list[CID]:
        """Return the versions about one CID."""
        return next((versions for _, versions in self._listed(layout.folder_of(subject))), [])

    def read(self, subject: CID, cid: CID) -> Version:
        """Read a version, proven; raises NotFound, VerificationFailed and MalformedContent."""
        key, data = key_of(subject, cid), bytearray()
        for piece in self._files.open(key, 0, MAX_BYTES + 1):
            data += piece
        try:
            cid.verify(bytes(data))
        except Mismatch as error:
            raise VerificationFailed(f"{self._name}:{key} is not what its name says: {error}") from error
        return of_subject(bytes(data), subject, f"{self._name}:{key}")

    def write(self, subject: CID, versions: Sequence[Version]) -> None:
        """Bring versions, in this order, and make sure of them."""
        encoded = [version.encode() for version in versions]
        bodies = [(_body(cid, block), key_of(subject, cid)) for cid, block in encoded]
        files = self._files
        if isinstance(files, Batch):
            receipts = list(files.put_all(bodies)) if bodies else []
        else:
            receipts = [files.put(body, key) for body, key in bodies]
        for (body, key), receipt in zip(bodies, receipts, strict=True):
            if receipt.proof == "none":
                reread(files, receipt.locator, body, f"{self._name}:{key}")

    def _listed(self, prefix: str) -> Iterator[tuple[CID, list[CID]]]:
        found = (pair for stat in self._files.scan(prefix) if (pair := _named(stat.key)) is not None)
        for subject, pairs in groupby(found, lambda pair: pair[0]):
            yield subject, [version for _, version in pairs]


def key_of(subject: CID, version: CID) -> str:
    """Return the key of a version."""
    return f"{layout.folder_of(subject)}{_BEFORE}{version}{_AFTER}"


def _named(key: str) -> tuple[CID, CID] | None:
    """Take a key apart; None for the key of something else."""
    match key.split("/"):
        case [layout.FOLDER, folder, name] if name.startswith(_BEFORE) and name.endswith(_AFTER):
            try:
                subject, version = CID.parse(folder), CID.parse(name.removeprefix(_BEFORE).removesuffix(_AFTER))
            except ContentError:
                return None
            return (subject, version) if key == key_of(subject, version) else None
    return None


def _body(cid: CID, block: bytes) -> Body:
    def read(offset: int, length: int | None) -> Iterator[bytes | memoryview]:
        yield block[offset:] if length is None else block[offset : offset + length]

    return Body(len(block), hashlib.sha256(block).digest(), read, cid)
