"""Reading whole files again, piece by piece: several threads hash their leaves, and the next file begins meanwhile."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.parallel import ordered, usable_cores
from ipfs_accel_cli.services.store.index import Leaf, WholeFile
from ipfs_accel_cli.services.store.mapping import present

_BATCH_BYTES = 8 << 20
_PIECE_BYTES = 256 << 10
_SHARED_BYTES = 4 << 20  # Less than a batch: the thread that takes the second digest is to begin soon.
_MAX_THREADS = 8

Wrong = list[tuple[Leaf, str]]
Look = Callable[[CID, int, memoryview], None]


@dataclass(frozen=True, slots=True)
class Piece:
    """Some leaves of a file that is open, in their order; `last` when no more of the file follow."""

    file: WholeFile
    descriptor: int
    leaves: list[Leaf]
    last: bool

    @property
    def own(self) -> bool:
        """Say whether nobody but the store has this file, so that it may be mapped."""
        return self.file.object.link_identity is None


@dataclass(frozen=True, slots=True)
class Seen:
    """A piece that was read, and which of its leaves are wrong; after its `last` piece a file's sha-256 if wanted."""

    piece: Piece
    wrong: Wrong
    sha256: bytes | None = None


def pieces(file: WholeFile, descriptor: int, leaves: Iterable[Leaf], *, shared: bool = False) -> Iterator[Piece]:
    """Divide a file into pieces of work; at least one, also where it has no leaves."""
    ahead: list[Leaf] = []
    for batch in batches(leaves, _SHARED_BYTES if shared else _BATCH_BYTES):
        if ahead:
            yield Piece(file, descriptor, ahead, last=False)
        ahead = batch
    yield Piece(file, descriptor, ahead, last=True)


def hashed(work: Iterable[Piece]) -> Iterator[Seen]:
    """Hash the leaves of pieces in threads; yield the outcomes in the order of the work."""

    def examine(piece: Piece) -> Seen:
        start, size_bytes = _span(piece.leaves)
        view = present(piece.descriptor, start, size_bytes) if piece.own else None
        if view is None:
            return Seen(piece, wrong_leaves(piece.descriptor, piece.leaves))
        return Seen(piece, _wrong(piece.leaves, view, start))

    with closing(ordered(examine, work, min(_MAX_THREADS, usable_cores()))) as found:
        yield from found


def hashed_whole(work: Iterable[Piece], look: Look | None) -> Iterator[Seen]:
    """Do the same, and take the sha-256 of each whole file of the same bytes, in the caller's thread.

    `look(cid, offset, bytes)` sees all of them, in any order and in any thread. Memory stays under 32 MiB unless leaves
    are larger than 4 MiB. The pieces are `shared` ones.
    """

    def examine(piece: Piece) -> tuple[Piece, Wrong, memoryview]:
        start, size_bytes = _span(piece.leaves)
        view = present(piece.descriptor, start, size_bytes) if piece.own else None
        if view is None:
            try:
                view = _read(piece.descriptor, start, size_bytes)
            except OSError as error:
                return piece, [(leaf, f"cannot be read: {error.strerror}") for leaf in piece.leaves], memoryview(b"")
        wrong = _wrong(piece.leaves, view, start)
        if look is not None:
            look(piece.file.cid, start, view)
        return piece, wrong, view

    whole = hashlib.sha256()
    # One thread takes the second digest, so that more than two would only wait for it.
    with closing(ordered(examine, work, min(2, usable_cores()))) as found:
        for piece, wrong, view in found:
            whole.update(view)
            yield Seen(piece, wrong, whole.digest() if piece.last else None)
            if piece.last:
                whole = hashlib.sha256()


def batches(leaves: Iterable[Leaf], batch_bytes: int = _BATCH_BYTES) -> Iterator[list[Leaf]]:
    """Divide leaves into pieces of work for a thread each."""
    batch: list[Leaf] = []
    size_bytes = 0
    for leaf in leaves:
        batch.append(leaf)
        size_bytes += leaf.length
        if size_bytes >= batch_bytes:
            yield batch
            batch, size_bytes = [], 0
    if batch:
        yield batch


_local = threading.local()


def wrong_leaves(descriptor: int, batch: Sequence[Leaf]) -> Wrong:
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
            found.append((leaf, _differs(actual, leaf)))
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


def _span(leaves: Sequence[Leaf]) -> tuple[int, int]:
    """Return where leaves begin and how many bytes they take together."""
    if not leaves:
        return 0, 0
    return leaves[0].offset, leaves[-1].offset + leaves[-1].length - leaves[0].offset


def _read(descriptor: int, offset: int, length: int) -> memoryview:
    """Read a stretch of a file, or what there is of it."""
    current().check()
    view, done = memoryview(bytearray(length)), 0
    while done < length:
        count = os.preadv(descriptor, [view[done:]], offset + done)
        if not count:
            break
        done += count
    return view[:done]


def _wrong(leaves: Sequence[Leaf], view: memoryview, start: int) -> Wrong:
    current().check()
    return [found for leaf in leaves if (found := _compared(leaf, view, start)) is not None]


def _compared(leaf: Leaf, view: memoryview, start: int) -> tuple[Leaf, str] | None:
    head, tail = leaf.frame()
    digest = hashlib.sha256(head)
    digest.update(view[leaf.offset - start : leaf.offset - start + leaf.length])
    digest.update(tail)
    return None if digest.digest() == leaf.digest else (leaf, _differs(digest.digest(), leaf))


def _differs(actual: bytes, leaf: Leaf) -> str:
    return f"the bytes hash to {actual.hex()}, not to {leaf.digest.hex()}"
