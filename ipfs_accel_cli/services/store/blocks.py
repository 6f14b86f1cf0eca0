"""Blocks by their CID, out of the database, a file or a whole object; each is checked as it is read."""

from __future__ import annotations

import os

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.errors import Mismatch
from ipfs_accel_cli.content.multihash import IDENTITY
from ipfs_accel_cli.core.errors import NotFound, VerificationFailed
from ipfs_accel_cli.services.store.index import Index, Leaf, StoredObject, WholeFile


class Blocks:
    """Every block of the store, however it is kept."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def has(self, cid: CID) -> bool:
        """Say whether a block is in the store; does not read it."""
        if cid.multihash.code == IDENTITY:
            return True
        return self._index.find_block(cid.multihash.encode()) is not None or self._index.has_leaf(cid)

    def read(self, cid: CID) -> bytes:
        """Return a block's bytes; raises NotFound, and VerificationFailed when every copy of it is damaged."""
        data = self.find(cid)
        if data is None:
            raise missing(cid)
        return data

    def find(self, cid: CID) -> bytes | None:
        """Return a block's bytes, or None when the store does not hold it; raises VerificationFailed as `read`."""
        if cid.multihash.code == IDENTITY:
            return cid.multihash.digest
        row = self._index.find_block(cid.multihash.encode())
        trouble: VerificationFailed | None = None
        if row is not None:
            try:
                return self._checked(cid, self._single(cid, row["data"]))
            except VerificationFailed as error:
                trouble = error
        for file, leaf in self._index.holders(cid):
            try:
                return self._checked(cid, leaf.block(read_content(file.object, leaf)))
            except VerificationFailed as error:
                detail = error.errors[0]["detail"] if error.errors else error.detail
                trouble = _damaged([leaf_damage(file, leaf, detail)])
        if trouble is not None:
            raise trouble
        return None

    def peek(self, cid: CID) -> bytes | None:
        """Return the bytes of a block that is no leaf of a whole file, unchecked; None when there is none."""
        if cid.multihash.code == IDENTITY:
            return cid.multihash.digest
        row = self._index.find_block(cid.multihash.encode())
        try:
            return None if row is None else self._single(cid, row["data"])
        except VerificationFailed:
            return None

    def _single(self, cid: CID, data: bytes | None) -> bytes:
        if data is not None:
            return data
        try:
            return self._index.places.block(cid.multihash.encode()).read_bytes()
        except FileNotFoundError as error:
            raise _damaged([damage(cid, "the file of the block is missing")]) from error

    @staticmethod
    def _checked(cid: CID, data: bytes) -> bytes:
        try:
            cid.verify(data)
        except Mismatch as error:
            raise _damaged([damage(cid, str(error))]) from error
        return data


def read_content(stored: StoredObject, leaf: Leaf) -> bytes:
    """Read the content of a leaf; raises VerificationFailed when the object has become shorter or is gone."""
    descriptor = stored.open()
    try:
        return os.pread(descriptor, leaf.length, leaf.offset)
    finally:
        os.close(descriptor)


def damage(cid: CID, detail: str, object_name: str = "", offset: int = 0, length: int = 0) -> dict[str, str]:
    """Return the particulars of a damaged block as a part of a problem's `errors`."""
    found = {"pointer": str(cid), "detail": detail, "cid": str(cid)}
    if object_name:
        found |= {"object": object_name, "offset": str(offset), "length": str(length)}
    return found


def leaf_damage(file: WholeFile, leaf: Leaf, detail: str) -> dict[str, str]:
    """Return the particulars of a damaged stretch of an object."""
    return damage(leaf.cid(file.cid.version), detail, file.object.sha256.hex(), leaf.offset, leaf.length)


def missing(cid: CID) -> NotFound:
    """Return the error for content that is not here."""
    return NotFound(f"{cid} is not in the store", suggestion="ipfs-accel store ls")


def _damaged(errors: list[dict[str, str]]) -> VerificationFailed:
    cid, detail = errors[0]["cid"], errors[0]["detail"]
    told = detail if cid in detail else f"{cid}: {detail}"
    return VerificationFailed(
        f"{told}; putting the original again replaces what is damaged",
        suggestion=f"ipfs-accel store verify {cid}",
        errors=errors,
    )
