"""Reading content: from a reference to the entry it names, from an entry to its bytes."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from ipfs_accel_cli.content import envelope, files, hamt
from ipfs_accel_cli.content.cid import CID, DAG_PB
from ipfs_accel_cli.content.dagpb import Link
from ipfs_accel_cli.content.unixfs import Entry, read
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Invalid, MalformedContent, NotAuthorised, NotFound
from ipfs_accel_cli.core.results import Blob
from ipfs_accel_cli.services.store.blocks import Blocks
from ipfs_accel_cli.services.store.index import Index, StoredObject, WholeFile
from ipfs_accel_cli.services.store.references import Reference, parse

_PIECE_BYTES = 1 << 20
_NAMES_COMPARED = 10_000


@dataclass(frozen=True, slots=True)
class Named:
    """What a CID is: a file, directory, symlink, metadata, an encrypted one's envelope, or another block.

    `size_bytes` counts content, 0 for a directory; `total_bytes` all blocks as the DAG states it. `entry` is None for a
    whole file and for a block that is not UnixFS.
    """

    cid: CID
    kind: str
    size_bytes: int
    total_bytes: int
    file: WholeFile | None = None
    entry: Entry | None = None


class Reader:
    """The read side of the store; `reference` reads what a caller names content by, through names that are known."""

    def __init__(self, index: Index, blocks: Blocks, reference: Callable[[str | CID], Reference] = parse) -> None:
        self.index = index
        self.blocks = blocks
        self.reference = reference

    def find(self, text: str | CID) -> CID:
        """Return the CID that a reference leads to; raises Invalid for what is none, else as `resolve`."""
        return self.resolve(self.reference(text))

    def resolve(self, reference: Reference) -> CID:
        """Follow the names of a reference through directories; symbolic links are not followed.

        Raises NotFound with near names.
        """
        if not reference.path:
            return reference.cid
        cid, walked = reference.cid, str(reference.cid)
        for name in reference.path:
            link = self._child(cid, name, walked)
            cid, walked = link.cid, f"{walked}/{name}"
        return cid

    def look(self, cid: CID) -> Named:
        """Say what a CID is; raises NotFound and MalformedContent."""
        file = self.index.find_file(cid)
        if file is not None:
            return Named(cid, "file", file.object.size_bytes, file.total_bytes, file=file)
        block = self.blocks.read(cid)
        sealed = envelope.find(cid, block)
        if sealed is not None:
            return Named(cid, "encrypted", sealed.size_bytes, len(block) + sealed.size_bytes)
        if cid.codec != DAG_PB:
            return Named(cid, "block", len(block), len(block))
        entry = read(block)
        kind = "file" if entry.kind == "raw" else "directory" if entry.kind == "hamt-shard" else entry.kind
        total_bytes = len(block) + sum(link.size_bytes for link in entry.links)
        return Named(cid, kind, entry.size_bytes, total_bytes, entry=entry)

    def content(self, cid: CID, offset: int = 0, length: int | None = None) -> Blob:
        """Return bytes of a file, or of a block that is not UnixFS.

        Raises Invalid for a directory, a symbolic link and an offset beyond the end. A length beyond the end is cut.
        """
        named = self.readable(cid)
        if offset < 0 or (length is not None and length < 0):
            raise Invalid("an offset and a length are 0 or more")
        if offset > named.size_bytes:
            raise Invalid(f"offset {offset} is beyond the end: {cid} has {named.size_bytes} bytes")
        count = named.size_bytes - offset if length is None else min(length, named.size_bytes - offset)
        return Blob(self._chunks(named, offset, count), count, str(cid), offset)

    def readable(self, cid: CID) -> Named:
        """Say what a CID is that must have bytes to read.

        Raises Invalid for a directory and a symbolic link, NotAuthorised for an envelope.
        """
        named = self.look(cid)
        if named.kind == "encrypted":
            raise encrypted(cid)
        if named.kind in ("directory", "symlink", "metadata"):
            raise Invalid(f"{cid} is a {named.kind}, not a file", suggestion=f"ipfs-accel store ls {cid}")
        return named

    def _chunks(self, named: Named, offset: int, count: int) -> Iterator[bytes]:
        if named.file is not None:
            # Opened now, so that a missing or changed file is known before the first byte is promised.
            pieces = object_range(named.file.object, offset, count)
            next(pieces)
            return pieces
        if named.entry is None:
            return iter([self.blocks.read(named.cid)[offset : offset + count]])
        return files.read(named.cid, self.block, offset, count)

    def block(self, cid: CID) -> bytes:
        """Read a block for a walk that may be long; raises Cancelled, and as `Blocks.read`."""
        current().check()
        return self.blocks.read(cid)

    def entries(self, cid: CID) -> Iterator[tuple[str, Link]]:
        """Yield the entries of a directory, plain or sharded; raises MalformedContent."""
        return hamt.entries(cid, self.block)

    def _child(self, cid: CID, name: str, walked: str) -> Link:
        named = self.look(cid)
        if named.entry is None or named.kind != "directory":
            raise NotFound(f"{walked} is a {named.kind}: it has no entry {name!r}")
        link = hamt.child(cid, name, self.block)
        if link is None:
            raise no_entry(walked, name, (known for known, _ in self.entries(cid)))
        return link


def no_entry(walked: str, name: str, names: Iterable[str], suggestion: str = "") -> NotFound:
    """Return the error for a name that a directory does not have, with one of its names that is near."""
    near = difflib.get_close_matches(name, islice(names, _NAMES_COMPARED), n=1)
    hint = f"; there is {near[0]!r}" if near else ""
    return NotFound(f"{walked} has no entry {name!r}{hint}", suggestion=suggestion or f"ipfs-accel store ls {walked}")


def encrypted(cid: CID) -> NotAuthorised:
    """Return the error for encrypted content that nobody gave an identity for."""
    return NotAuthorised(
        f"{cid} is encrypted; name an identity that it was encrypted to",
        suggestion=f"ipfs-accel store get {cid} --identity NAME",
    )


def object_range(stored: StoredObject, offset: int, count: int) -> Iterator[bytes]:
    """Yield nothing once the object is open, then a stretch of it in pieces.

    Raises VerificationFailed when the file is missing or visibly damaged, MalformedContent when it ends too early.
    """
    descriptor = stored.open()
    try:
        yield b""
        end = offset + count
        while offset < end:
            current().check()
            piece = os.pread(descriptor, min(_PIECE_BYTES, end - offset), offset)
            if not piece:
                raise MalformedContent(f"object {stored.sha256.hex()} ends at {offset}, {end - offset} bytes too early")
            offset += len(piece)
            yield piece
    finally:
        os.close(descriptor)
