"""Reading everything again and hashing it: what is damaged is named to the block."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import zip_longest

from ipfs_accel_cli.content.cid import CID, DAG_PB
from ipfs_accel_cli.content.dagpb import decode
from ipfs_accel_cli.content.errors import ContentError, Mismatch, Unsupported
from ipfs_accel_cli.content.multihash import Multihash
from ipfs_accel_cli.content.multihash import decode as decode_multihash
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.errors import HomeUnusable, VerificationFailed
from ipfs_accel_cli.core.parallel import ordered, usable_cores
from ipfs_accel_cli.services.store.blocks import Blocks, damage, leaf_damage
from ipfs_accel_cli.services.store.index import Index, Leaf, WholeFile
from ipfs_accel_cli.services.store.results import Verification
from ipfs_accel_cli.services.store.walking import Frontier, walk

_BATCH_BYTES = 8 << 20
_PIECE_BYTES = 256 << 10
_MAX_ERRORS = 1000

Damage = dict[str, str]


class Verifier:
    """One pass over content; `everything` or `dags`, once."""

    def __init__(self, index: Index, blocks: Blocks, database: Database) -> None:
        self._index = index
        self._blocks = blocks
        self._database = database
        self._errors: list[Damage] = []
        self._bad: set[bytes] = set()
        self._good: set[bytes] = set()
        self._block_count = self._size_bytes = 0

    def everything(self) -> Verification:
        """Check every object and every block, kept or not; raises VerificationFailed."""
        for file in self._index.files():
            self._file(file)
        for multihash, data in self._index.blocks():
            self._single(multihash, data)
        return self._outcome()

    def dags(self, roots: Iterable[CID]) -> Verification:
        """Check all that the roots reach; a block that is not here counts as damage. Raises VerificationFailed."""
        with Frontier() as frontier:
            for visit in walk(self._index, self._blocks, roots, frontier, inner_leaves=False):
                if visit.file is not None:
                    self._file(visit.file)
                if visit.kind == "node":
                    self._single(visit.cid.multihash.encode(), visit.data)
                elif visit.kind == "missing":
                    self._errors.append(damage(visit.cid, "the block is not in the store, or its file is gone"))
                elif visit.file is None:
                    self._lone_leaf(visit.cid)
        return self._outcome()

    def _file(self, file: WholeFile) -> None:
        before = len(self._errors)
        trouble = file.object.trouble()
        try:
            # What looks changed is read all the same, for the damage may be one block of many.
            descriptor = os.open(file.object.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            self._whole(file, "the file is missing")
            return
        try:
            work = batches(self._index.leaves(file))
            for found in ordered(lambda batch: wrong_leaves(descriptor, batch), work, min(8, usable_cores())):
                self._errors.extend(leaf_damage(file, leaf, detail) for leaf, detail in found)
                self._report(f"verifying {file.cid}")
        finally:
            os.close(descriptor)
        if trouble is not None and len(self._errors) == before:
            self._whole(file, trouble)
        for leaf in self._index.leaves(file):
            self._block_count += 1
            self._size_bytes += leaf.length
        self._check_tree(file)
        (self._good if len(self._errors) == before else self._bad).add(file.object.sha256)

    def _whole(self, file: WholeFile, trouble: str) -> None:
        self._bad.add(file.object.sha256)
        self._errors.append(damage(file.cid, trouble, file.object.sha256.hex(), 0, file.object.size_bytes))

    def _check_tree(self, file: WholeFile) -> None:
        """Compare the leaves that the DAG names with those that the tables know, one by one."""
        below = _leaf_digests(self._blocks, file.cid)
        for position, (named, known) in enumerate(zip_longest(below, self._index.leaves(file))):
            if known is None or named != known.digest:
                self._errors.append(damage(file.cid, f"the DAG and the tables disagree about leaf {position}"))
                return

    def _single(self, multihash: bytes, data: bytes | None) -> None:
        code: Multihash = decode_multihash(multihash)[0]
        cid = CID(1, DAG_PB, code)
        self._block_count += 1
        if data is None:
            self._errors.append(damage(cid, "the file of the block is missing"))
            return
        self._size_bytes += len(data)
        try:
            cid.verify(data)
        except Mismatch as error:
            self._errors.append(damage(cid, str(error)))
        except Unsupported:
            # Such a block could only be kept by an import that did not check it, and none does.
            self._errors.append(damage(cid, f"{code.name} cannot be computed here"))
        self._report("verifying blocks")

    def _lone_leaf(self, cid: CID) -> None:
        try:
            self._size_bytes += len(self._blocks.read(cid))
            self._block_count += 1
        except VerificationFailed as error:
            self._errors.extend(error.errors)

    def _report(self, message: str) -> None:
        current().progress(self._size_bytes, None, message, unit="bytes")

    def _outcome(self) -> Verification:
        self._note()
        if not self._errors:
            return Verification(objects=len(self._good), blocks=self._block_count, size_bytes=self._size_bytes)
        pieces = len(self._errors)
        raise VerificationFailed(
            f"{pieces} damaged or missing block{'s' if pieces > 1 else ''}; the first: {self._errors[0]['detail']}",
            suggestion="put or import the original again: it replaces what is damaged",
            errors=self._errors[:_MAX_ERRORS],
            damaged=pieces,
        )

    def _note(self) -> None:
        """Mark damaged objects, so that putting the original again replaces them."""
        known = {stored.sha256 for stored in self._index.objects() if stored.damaged}
        changes = [(1, sha256) for sha256 in self._bad - known]
        changes += [(0, sha256) for sha256 in (self._good - self._bad) & known]
        if not changes:
            return
        # A home that cannot be written can be verified all the same.
        with suppress(HomeUnusable), self._database.write() as connection:
            connection.executemany("UPDATE objects SET damaged = ? WHERE sha256 = ?", changes)


def batches(leaves: Iterable[Leaf]) -> Iterator[list[Leaf]]:
    """Divide leaves into pieces of work for a thread each."""
    batch: list[Leaf] = []
    size_bytes = 0
    for leaf in leaves:
        batch.append(leaf)
        size_bytes += leaf.length
        if size_bytes >= _BATCH_BYTES:
            yield batch
            batch, size_bytes = [], 0
    if batch:
        yield batch


_local = threading.local()


def wrong_leaves(descriptor: int, batch: Sequence[Leaf]) -> list[tuple[Leaf, str]]:
    """Hash leaves from disk in one thread; return those that differ, and why."""
    piece: memoryview | None = getattr(_local, "piece", None)
    if piece is None:
        piece = _local.piece = memoryview(bytearray(_PIECE_BYTES))
    found = []
    for leaf in batch:
        current().check()
        try:
            actual = _leaf_digest(descriptor, leaf, piece)
        except OSError as error:
            found.append((leaf, f"cannot be read: {error.strerror}"))
            continue
        if actual != leaf.digest:
            found.append((leaf, f"the bytes hash to {actual.hex()}, not to {leaf.digest.hex()}"))
    return found


def _leaf_digest(descriptor: int, leaf: Leaf, piece: memoryview) -> bytes:
    head, tail = leaf.frame()
    digest = hashlib.sha256(head)
    done = 0
    while done < leaf.length:
        count = os.preadv(descriptor, [piece[: leaf.length - done]], leaf.offset + done)
        if not count:
            break
        digest.update(piece[:count])
        done += count
    digest.update(tail)
    return digest.digest()


def _leaf_digests(blocks: Blocks, root: CID) -> Iterator[bytes]:
    """Yield the digests of a file's leaves in the order of its DAG."""
    stack = [root]
    while stack:
        cid = stack.pop()
        below: list[CID] = []
        if cid.codec == DAG_PB and (data := blocks.peek(cid)) is not None:
            with suppress(ContentError):
                below = [link.cid for link in decode(data).links]
        if below:
            stack.extend(reversed(below))
        else:
            yield cid.multihash.digest
