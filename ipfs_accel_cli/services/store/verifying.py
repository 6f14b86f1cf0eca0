"""Hashing everything again: what is damaged is named to the block."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
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
from ipfs_accel_cli.services.store.blocks import Blocks, damage, leaf_damage
from ipfs_accel_cli.services.store.index import Index, WholeFile
from ipfs_accel_cli.services.store.rereading import Look, Piece, Seen, hashed, hashed_whole, pieces
from ipfs_accel_cli.services.store.results import Verification
from ipfs_accel_cli.services.store.walking import Frontier, Visit, walk

_MAX_ERRORS = 1000

Damage = dict[str, str]


class Verifier:
    """One pass over content; `everything` or `dags`, once.

    With `whole` the sha-256 of every whole file is computed too, of the same bytes, which `look` then sees.
    """

    def __init__(
        self, index: Index, blocks: Blocks, database: Database, *, whole: bool = False, look: Look | None = None
    ) -> None:
        self._index = index
        self._blocks = blocks
        self._database = database
        self._whole, self._look = whole, look
        self._errors: list[Damage] = []
        self._bad: set[bytes] = set()
        self._good: set[bytes] = set()
        self._open: set[int] = set()
        self._block_count = self._size_bytes = 0

    def everything(self) -> Verification:
        """Check every object and every block, kept or not; raises VerificationFailed."""
        self._read(piece for file in self._index.files() for piece in self._pieces(file))
        for multihash, data in self._index.blocks():
            self._single(multihash, data)
        return self._outcome()

    def dags(self, roots: Iterable[CID]) -> Verification:
        """Check all that the roots reach; a block that is not here counts as damage. Raises VerificationFailed."""
        with Frontier() as frontier:
            self._read(self._visit(walk(self._index, self._blocks, roots, frontier, inner_leaves=False)))
        return self._outcome()

    def _visit(self, visits: Iterable[Visit]) -> Iterator[Piece]:
        """Check blocks as they come, and give the pieces of whole files on to be read."""
        for visit in visits:
            if visit.file is not None:
                yield from self._pieces(visit.file)
            if visit.kind == "node":
                self._single(visit.cid.multihash.encode(), visit.data)
            elif visit.kind == "missing":
                self._errors.append(damage(visit.cid, "the block is not in the store, or its file is gone"))
            elif visit.file is None:
                self._lone_leaf(visit.cid)

    def _pieces(self, file: WholeFile) -> Iterator[Piece]:
        try:
            # What looks changed is read all the same, for the damage may be one block of many.
            descriptor = os.open(file.object.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            self._damaged(file, "the file is missing")
            return
        self._open.add(descriptor)
        yield from pieces(file, descriptor, self._index.leaves(file), shared=self._whole)

    def _read(self, work: Iterable[Piece]) -> None:
        wrong = False
        try:
            for seen in hashed_whole(work, self._look) if self._whole else hashed(work):
                self._take(seen)
                wrong = wrong or bool(seen.wrong)
                if seen.piece.last:
                    self._end(seen, wrong=wrong)
                    wrong = False
        finally:
            for descriptor in self._open:
                os.close(descriptor)

    def _take(self, seen: Seen) -> None:
        file = seen.piece.file
        self._errors.extend(leaf_damage(file, leaf, detail) for leaf, detail in seen.wrong)
        self._block_count += len(seen.piece.leaves)
        self._size_bytes += sum(leaf.length for leaf in seen.piece.leaves)
        self._report(f"verifying {file.cid}")

    def _end(self, seen: Seen, *, wrong: bool) -> None:
        """Check what only the whole of a file shows: that the DAG names these leaves, and its sha-256."""
        file = seen.piece.file
        self._open.remove(seen.piece.descriptor)
        os.close(seen.piece.descriptor)
        before = len(self._errors)
        self._check_tree(file)
        trouble = None if wrong else file.object.trouble()
        if trouble is not None:
            self._damaged(file, trouble)
        elif seen.sha256 not in (None, file.object.sha256) and not wrong:
            self._damaged(file, f"the file has another sha-256 than {file.object.sha256.hex()}")
        (self._bad if wrong or len(self._errors) > before else self._good).add(file.object.sha256)

    def _damaged(self, file: WholeFile, trouble: str) -> None:
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
