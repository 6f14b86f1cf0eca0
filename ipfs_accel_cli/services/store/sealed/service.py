"""What is encrypted in the store: put, read, written to disk, wrapped for others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.envelope import Envelope, Secret
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Invalid, NotFound
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.core.results import Blob
from ipfs_accel_cli.services.store.putting_blocks import BlockPutter
from ipfs_accel_cli.services.store.reading import Reader
from ipfs_accel_cli.services.store.results import Entry, Got, Listing, Stored
from ipfs_accel_cli.services.store.sealed import age, extracting, opening, sealing
from ipfs_accel_cli.services.store.sealed.identities import Identities
from ipfs_accel_cli.services.store.sealed.opening import Found, Opened
from ipfs_accel_cli.services.store.sealed.results import Rewrapped
from ipfs_accel_cli.services.store.session import PutSession
from ipfs_accel_cli.services.store.telling import told

Sessions = Callable[[str | None], AbstractContextManager[PutSession]]

_ENTRY_KINDS = {"file": "file", "folder": "directory", "link": "symlink"}


class SealedContent:
    """The encrypted content of one store, and the identities that open it."""

    def __init__(self, home: Home, reader: Reader, session: Sessions, putter: BlockPutter) -> None:
        self.identities = Identities(home)
        self._reader = reader
        self._session = session
        self._putter = putter

    def put(
        self, paths: Iterable[str | Path], recipients: Sequence[str], profile: str | None = None
    ) -> Iterator[Stored]:
        """Store files and folders encrypted for recipients, each kept under its name as soon as it is whole.

        Raises Invalid for no recipients and for what is none, MissingExtra, and as `Store.put`.
        """
        chosen = self.identities.recipients(recipients)
        if not chosen:
            raise Invalid("encryption needs a recipient", suggestion="ipfs-accel store identity new NAME")
        for path in paths:
            allowed = current().path(path)
            with self._session(profile) as session:
                yield sealing.put(session, allowed, str(path), chosen)

    @told()
    def open(self, reference: str | CID, identity: str, offset: int = 0, length: int | None = None) -> Blob:
        """Return decrypted bytes of a file; only the segments that hold them are read.

        Raises NotAuthorised where the identity is not among the recipients, NotFound, Invalid for what is no file and
        for an offset beyond the end, VerificationFailed where anything was changed.
        """
        opened, found = self._opened(reference, identity)
        entry = opened.entry(found.path)
        if offset < 0 or (length is not None and length < 0):
            raise Invalid("an offset and a length are 0 or more")
        if offset > entry.size_bytes:
            raise Invalid(f"offset {offset} is beyond the end: it has {entry.size_bytes} bytes")
        rest = entry.size_bytes - offset
        count = rest if length is None else min(length, rest)
        pieces = opened.content(entry, offset, count)
        return Blob(_told(pieces), count, str(opened.cid), offset)

    @told()
    def get(self, reference: str | CID, identity: str, destination: str | Path | None = None) -> Got:
        """Write a decrypted file or folder to disk, whole or not at all; raises as `open`, and as `Store.get`."""
        opened, found = self._opened(reference, identity)
        name = found.path.rpartition("/")[2] or str(found.cid)
        target = current().path(destination if destination is not None else name)
        if destination is not None and target.is_dir() and opened.entry(found.path).kind == "file":
            target = current().path(target / name)
        return extracting.get(opened, found.path, target)

    @told()
    def ls(self, reference: str | CID, identity: str) -> Listing:
        """List the entries of an encrypted folder, or the one that a file is; raises as `open`."""
        opened, found = self._opened(reference, identity)
        entries = opened.below(found.path)
        if entries[0].kind == "folder":
            depth = found.path.count("/") + 1 if found.path else 0
            entries = [one for one in entries[1:] if one.path.count("/") == depth]
        return Listing(
            entries=[
                Entry(
                    cid=str(one.content or found.cid),
                    name=one.path.rpartition("/")[2],
                    kind=_ENTRY_KINDS[one.kind],
                    size_bytes=one.size_bytes if one.kind == "file" else None,
                )
                for one in entries
            ]
        )

    @told()
    def rewrap(
        self, reference: str | CID, to: Sequence[str] = (), drop: Sequence[str] = (), identity: str | None = None
    ) -> Rewrapped:
        """Make and keep another envelope over the same encrypted content, for more or other recipients.

        Whoever is dropped and has the old envelope can still open that. Any identity of this home opens the old one
        unless one is named. Raises NotAuthorised, NotFound for a recipient that is dropped and is none, and Invalid
        where nobody would be left or something is left to follow after the envelope.
        """
        found = opening.find(self._reader, self._reader.reference(reference))
        if found.path:
            raise Invalid("whole envelopes are wrapped for others, not entries inside them")
        secret = opening.secret_of(found, self.identities.secrets(identity))
        dropped = self.identities.recipients(drop)
        for one in dropped:
            if one not in secret.recipients:
                raise NotFound(f"{one} is no recipient of {found.cid}")
        stay = [one for one in secret.recipients if one not in dropped]
        chosen = self.identities.recipients([*stay, *to])
        if not chosen:
            raise Invalid("nobody would be left who can open it", suggestion="ipfs-accel store rm CID")
        keys = age.wrap(Secret(secret.key, chosen).encode(), chosen)
        old = found.envelope
        data = Envelope(old.kind, old.content, old.size_bytes, keys).encode()
        made = self._putter.put(data, "dag-cbor", "sha2-256", self._label(found.cid), keep=True)
        return Rewrapped(cid=made.cid, before=str(found.cid), content=str(old.content), recipients=list(chosen))

    def _label(self, cid: CID) -> str:
        """Return the name that the old envelope is kept under, so that the new one has it, too."""
        return next((str(row["label"]) for row in self._reader.index.roots(cid)), str(cid))

    def _opened(self, reference: str | CID, identity: str) -> tuple[Opened, Found]:
        found = opening.find(self._reader, self._reader.reference(reference))
        secret = opening.secret_of(found, self.identities.secrets(identity))
        return Opened(self._reader, found, secret), found


def _told(pieces: Iterator[bytes]) -> Iterator[bytes]:
    with told():
        yield from pieces
