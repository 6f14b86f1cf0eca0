"""Mending an object: a fresh copy takes its place, made of what is sound of the old one and of blocks proven first.

The damaged file is only read. So a crash leaves either it or the whole new one, a hard link to a user's file is never
written through, and whoever has the old one open goes on reading it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from ipfs_accel_cli.content.builder import Built, TreeBuilder
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.profiles import profile as named_profile
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.errors import AccelError, VerificationFailed
from ipfs_accel_cli.core.parallel import ordered, usable_cores
from ipfs_accel_cli.services.store.blocks import Blocks
from ipfs_accel_cli.services.store.index import Index, Leaf, WholeFile
from ipfs_accel_cli.services.store.rereading import batches, wrong_leaves
from ipfs_accel_cli.services.store.session import PutSession

_PIECE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Hole:
    """A damaged leaf of a whole file: where its content lies, and the block that belongs there."""

    cid: CID
    offset: int
    length: int
    detail: str
    leaf: Leaf

    def content_of(self, block: bytes) -> bytes | None:
        """Return the content of the block that belongs here, None when these bytes are another block."""
        head, tail = self.leaf.frame()
        if len(block) != len(head) + self.length + len(tail) or hashlib.sha256(block).digest() != self.leaf.digest:
            return None
        return block[len(head) : len(block) - len(tail)]

    def proves(self, content: bytes | memoryview) -> bool:
        """Say whether this is the content that belongs here."""
        if len(content) != self.length:
            return False
        head, tail = self.leaf.frame()
        digest = hashlib.sha256(head)
        digest.update(content)
        digest.update(tail)
        return digest.digest() == self.leaf.digest


def holes(index: Index, file: WholeFile) -> list[Hole]:
    """Hash a whole file leaf by leaf from disk and return the damaged ones; of a lost file, all of them."""
    version = file.cid.version
    try:
        descriptor = os.open(file.object.path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return [
            Hole(leaf.cid(version), leaf.offset, leaf.length, "the file is missing", leaf)
            for leaf in index.leaves(file)
        ]
    try:
        found: list[Hole] = []
        work = ordered(
            lambda batch: wrong_leaves(descriptor, batch), batches(index.leaves(file)), min(8, usable_cores())
        )
        for wrong in work:
            found += [Hole(leaf.cid(version), leaf.offset, leaf.length, detail, leaf) for leaf, detail in wrong]
        return found
    finally:
        os.close(descriptor)


def spare(blocks: Blocks, hole: Hole) -> bytes | None:
    """Return the content of a hole from another place in the store that holds the same block; None if none does."""
    with suppress(AccelError):
        found = blocks.find(hole.cid)
        return None if found is None else hole.content_of(found)
    return None


def mend(
    session: PutSession,
    database: Database,
    file: WholeFile,
    wrong: Sequence[Hole],
    content: Callable[[Hole], bytes],
) -> None:
    """Put a whole copy of a file in the place of its object; `content` gives what belongs into each hole.

    Raises VerificationFailed when a block is not the one that belongs there, or the whole is not what it should be;
    then the store stays as it was. The session is over afterwards.
    """
    with database.write() as connection:
        # Else the commit would find an object of the right name and size in its place, and keep that.
        connection.execute("UPDATE objects SET damaged = 1 WHERE sha256 = ?", (file.object.sha256,))
    session.file(_pieces(file, wrong, content), sha256=file.object.sha256, size_bytes=file.object.size_bytes)
    session.commit()


def rebuild(session: PutSession, index: Index, file: WholeFile) -> Built:
    """Make the inner nodes of a file again from the digests of its leaves, and stage them.

    Raises VerificationFailed where that does not give the CID of the file: its leaves were cut by no known profile.
    """
    tree = TreeBuilder(named_profile(file.profile), session.block) if file.profile else None
    if tree is not None:
        for leaf in index.leaves(file):
            tree.leaf(leaf.digest, leaf.length)
        built = tree.finish()
        if built.cid.to_v1() == file.cid.to_v1():
            return built
    raise VerificationFailed(f"the inner nodes of {file.cid} cannot be made again from its leaves")


def _pieces(file: WholeFile, wrong: Sequence[Hole], content: Callable[[Hole], bytes]) -> Iterator[bytes]:
    descriptor = -1
    with suppress(FileNotFoundError):
        descriptor = os.open(file.object.path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        offset = 0
        for hole in sorted(wrong, key=lambda one: one.offset):
            yield from _sound(descriptor, offset, hole.offset)
            data = content(hole)
            if not hole.proves(data):
                raise VerificationFailed(f"the bytes for {hole.cid} at {hole.offset} are not that block")
            yield data
            offset = hole.offset + hole.length
        yield from _sound(descriptor, offset, file.object.size_bytes)
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def _sound(descriptor: int, start: int, end: int) -> Iterator[bytes]:
    while start < end:
        current().check()
        piece = os.pread(descriptor, min(_PIECE_BYTES, end - start), start)
        if not piece:
            raise VerificationFailed(f"the object was cut at byte {start} while it was mended")
        start += len(piece)
        yield piece
