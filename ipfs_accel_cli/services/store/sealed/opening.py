"""Reading what is encrypted: from a reference to the entry it names, from an entry to its bytes."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from ipfs_accel_cli.content import envelope, hamt, sealed
from ipfs_accel_cli.content.cid import CID, DAG_CBOR
from ipfs_accel_cli.content.envelope import Envelope, Sealed, Secret
from ipfs_accel_cli.content.errors import Forged, Malformed
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Invalid, NotAuthorised, NotFound, UnsafeContent
from ipfs_accel_cli.services.store.opened import OpenContent
from ipfs_accel_cli.services.store.reading import Reader
from ipfs_accel_cli.services.store.references import Reference
from ipfs_accel_cli.services.store.sealed import age


@dataclass(frozen=True, slots=True)
class Found:
    """An envelope, where it lies, and the names that follow below it."""

    cid: CID
    envelope: Envelope
    path: str


def find(reader: Reader, reference: Reference) -> Found:
    """Return the envelope that a reference leads to; the rest of its path is inside. Raises NotFound and Invalid."""
    inside = reference.cid.codec == DAG_CBOR
    cid = reference.cid if inside else reader.resolve(reference)
    found = envelope.find(cid, reader.block(cid))
    if found is None:
        raise Invalid(f"{cid} is not encrypted; leave --identity out", suggestion=f"ipfs-accel store stat {cid}")
    return Found(cid, found, "/".join(reference.path) if inside else "")


def secret_of(found: Found, identities: Sequence[str]) -> Secret:
    """Unwrap the secret of an envelope; raises NotAuthorised where no identity is among its recipients."""
    data = age.unwrap(found.envelope.keys, identities) if identities else None
    if data is None:
        said = "this identity is not" if len(identities) == 1 else "no identity of this home is"
        raise NotAuthorised(
            f"{said} among those that {found.cid} was encrypted to", suggestion="ipfs-accel store identity ls"
        )
    return Secret.decode(data)


class Opened:
    """Encrypted content with its key: its entries, and the bytes of each."""

    def __init__(self, reader: Reader, found: Found, secret: Secret) -> None:
        self.cid = found.cid
        self._reader = reader
        self._envelope = found.envelope
        self._key = secret.key

    @cached_property
    def entries(self) -> list[Sealed]:
        """What a folder holds, or the one file, whose path is empty; raises as `content`, and UnsafeContent."""
        stated = self._envelope
        if stated.kind == "file":
            return [Sealed("", "file", stated.size_bytes, stated.content, self._key)]
        entries = self._index()
        if sum(entry.size_bytes for entry in entries) != stated.size_bytes:
            raise Forged(f"the envelope {self.cid} states {stated.size_bytes} bytes, and its index others")
        return entries

    @property
    def is_folder(self) -> bool:
        return self._envelope.kind == "folder"

    def entry(self, path: str) -> Sealed:
        """Return the entry at a path; raises NotFound with a near one."""
        entries = {entry.path: entry for entry in self.entries}
        if path in entries:
            return entries[path]
        if not path and self.is_folder:
            return Sealed("", "folder")
        near = difflib.get_close_matches(path, entries, n=1)
        hint = f"; there is {near[0]!r}" if near and near[0] else ""
        raise NotFound(f"the encrypted {self.cid} has no entry {path!r}{hint}")

    def below(self, path: str) -> list[Sealed]:
        """Return an entry and all that lies below it, folders before what they hold."""
        top = self.entry(path)
        if top.kind != "folder":
            return [top]
        start = f"{path}/" if path else ""
        return [top, *sorted((one for one in self.entries if one.path.startswith(start)), key=lambda one: one.path)]

    def content(self, entry: Sealed, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Yield decrypted bytes of a file, of which only the segments that hold them are read.

        Raises Invalid for what is no file, NotFound, and VerificationFailed where anything was changed.
        """
        if entry.content is None:
            raise Invalid(f"{entry.path!r} of the encrypted {self.cid} is a {entry.kind}, not a file")
        opened = self._open(entry.content)
        if opened.size_bytes != sealed.sealed_bytes(entry.size_bytes):
            opened.close()
            raise Forged(f"{entry.content} has {opened.size_bytes} bytes, which is not what {self.cid} states of it")
        return _read(opened, sealed.unseal(entry.key, "file", entry.size_bytes, opened.read, offset, length))

    def _index(self) -> list[Sealed]:
        link = hamt.child(self._envelope.content, envelope.INDEX_NAME, self._reader.block)
        if link is None:
            raise Malformed(f"{self._envelope.content} holds no encrypted index")
        with self._open(link.cid) as opened:
            size_bytes = sealed.content_bytes(opened.size_bytes)
            if size_bytes > envelope.MAX_INDEX_BYTES:
                raise Malformed(f"the index of {self.cid} has {size_bytes} bytes, which no index has")
            data = b"".join(sealed.unseal(self._key, "index", size_bytes, opened.read))
        try:
            return envelope.decode_index(data)
        except Malformed as error:
            raise UnsafeContent(f"the encrypted index of {self.cid}: {error}") from error

    def _open(self, cid: CID) -> OpenContent:
        return OpenContent(self._reader, cid)


def _read(opened: OpenContent, pieces: Iterator[bytes]) -> Iterator[bytes]:
    with opened:
        for piece in pieces:
            current().check()
            yield piece
