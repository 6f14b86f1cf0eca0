"""Names that move: published with a key, resolved through verified records, carried in files and by backends."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from ipfs_accel_cli.backends.base import Names as NamesAt
from ipfs_accel_cli.content import ipns, libp2pkey
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.errors import ContentError
from ipfs_accel_cli.content.ipns import Record
from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.errors import AccelError, Invalid, LimitReached, NotFound, SomeFailed
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.core.units import parse_duration
from ipfs_accel_cli.services.store.keyring import owners_only
from ipfs_accel_cli.services.store.names.files import RecordFiles
from ipfs_accel_cli.services.store.names.following import Followed, follow, name_in, resolved
from ipfs_accel_cli.services.store.names.keys import NameKeys
from ipfs_accel_cli.services.store.names.records import Records
from ipfs_accel_cli.services.store.names.results import Named, NameList, Published, ResolvedName
from ipfs_accel_cli.services.store.references import Reference, parse, pointer
from ipfs_accel_cli.services.store.telling import told

Backends = Callable[[str], NamesAt]

_LONGEST_NS = 36_525 * 86_400 * ipns.NANOSECONDS


class Names:
    """The names of one home; `names_at` finds a backend that keeps records by what it is called."""

    def __init__(
        self, home: Home, database: Database, names_at: Backends, now_ns: Callable[[], int] = time.time_ns
    ) -> None:
        self.keys = NameKeys(home)
        self._records = Records(database)
        self._names_at = names_at
        self._now_ns = now_ns
        self.files = RecordFiles(self._records, self.keys, now_ns)

    @told()
    def publish(
        self, key: str, target: str, *, lifetime: str = "48h", ttl: str = "1h", backends: Sequence[str] = ()
    ) -> Published:
        """Let a key's name lead to content, or to another name, and bring the record to backends.

        What backends know of the name comes first, so that the new record is newer. Raises NotFound for a key or a
        backend that is not here, and SomeFailed where some backend did not take the record, which is kept here then.
        """
        owners_only("publish with its keys")
        private = self.keys.private(key)
        name = self.keys.public(key)
        value = self._value(target, name)
        lifetime_ns, ttl_ns = (int(parse_duration(text) * ipns.NANOSECONDS) for text in (lifetime, ttl))
        if not 0 < lifetime_ns <= _LONGEST_NS or ttl_ns > _LONGEST_NS:
            raise Invalid("a record counts for more than nothing and for 100 years at most")
        places = [(backend, self._names_at(backend)) for backend in dict.fromkeys(backends)]
        for _, place in places:
            # What is there and is not the name's own is written over.
            with suppress(ContentError):
                self._fetch(name, place)

        def signed(sequence: int) -> Record:
            if sequence > ipns.MAX_SEQUENCE:
                raise LimitReached(f"{libp2pkey.name_text(name)} has used up all sequences")
            eol_ns = self._now_ns() + lifetime_ns
            made = ipns.create(private.sign, value, sequence=sequence, eol_ns=eol_ns, ttl_ns=ttl_ns)
            return ipns.decode(made)

        record = self._records.sign(name, signed)
        _bring(name, record, places)
        return Published(
            name=libp2pkey.name_text(name),
            key=key,
            value=record.value,
            sequence=record.sequence,
            valid_until=record.validity,
            ttl_seconds=record.ttl_ns / ipns.NANOSECONDS,
            backends=[backend for backend, _ in places],
        )

    @told()
    def resolve(self, text: str, backend: str | None = None) -> ResolvedName:
        """Say where a name, or a path below one, leads; asks a backend for newer records where one is named.

        Raises NotFound for a name without a record, VerificationFailed for one whose time is over.
        """
        found = pointer(text)
        name, path = (name_in(text, self.keys), ()) if found is None else (resolved(found, self.keys), found.path)
        place = None if backend is None else self._names_at(backend)

        def newest(name: CID) -> Record:
            if place is not None:
                self._fetch(name, place)
            return self._valid(name)

        followed = follow(name, path, newest)
        records = followed.records
        return ResolvedName(
            name=libp2pkey.name_text(name),
            path=f"/ipfs/{followed.reference}",
            cid=str(followed.reference.cid),
            sequence=records[0].sequence,
            valid_until=min(records, key=lambda record: record.eol_ns).validity,
            ttl_seconds=min(record.ttl_ns for record in records) / ipns.NANOSECONDS,
            hops=len(records),
        )

    def reference(self, text: str | CID) -> Reference:
        """Read what a command was given: content as `references.parse` reads it, or a name, by what is kept here."""
        found = pointer(text)
        if found is None:
            return parse(text)
        with told():
            followed: Followed = follow(resolved(found, self.keys), found.path, self._valid)
        return followed.reference

    @told()
    def list(self) -> NameList:
        """List the names whose records are kept here, oldest first."""
        keys, now_ns = self.keys.by_name(), self._now_ns()
        return NameList(
            names=[
                Named(
                    name=libp2pkey.name_text(kept.name),
                    key=keys.get(kept.name),
                    value=kept.record.value,
                    sequence=kept.record.sequence,
                    valid_until=kept.record.validity,
                    expired=not kept.record.valid_at(now_ns),
                    kept_at=kept.kept_at,
                )
                for kept in self._records.all()
            ]
        )

    def _value(self, target: str, name: CID) -> str:
        found = pointer(target)
        if found is None:
            return f"/ipfs/{parse(target)}"
        other = resolved(found, self.keys)
        if other == name:
            raise Invalid("a name cannot lead to itself")
        return "/".join(("/ipns", libp2pkey.name_text(other), *found.path))

    def _valid(self, name: CID) -> Record:
        record = self._records.find(name)
        if record is None:
            text = libp2pkey.name_text(name)
            raise NotFound(f"no record of the name {text} is kept here", suggestion="ipfs-accel store name ls")
        record.verify(name, self._now_ns())
        return record

    def _fetch(self, name: CID, place: NamesAt) -> None:
        """Keep what a backend knows of a name, where it is newer; what it sends must be signed by the name."""
        try:
            data = place.resolve(name)
        except NotFound:
            return
        record = ipns.decode(data)
        record.verify(name)
        self._records.keep(name, record)


def _bring(name: CID, record: Record, places: Sequence[tuple[str, NamesAt]]) -> None:
    failed: list[tuple[str, AccelError]] = []
    for backend, place in places:
        try:
            place.publish(name, record.encoded)
        except AccelError as error:
            failed.append((backend, error))
    if not failed:
        return
    raise SomeFailed(
        f"record {record.sequence} of {libp2pkey.name_text(name)} is kept here, but {len(failed)} of {len(places)} "
        f"backends did not take it: {failed[0][0]}: {failed[0][1].detail}",
        errors=[{"pointer": backend, "detail": error.detail} for backend, error in failed],
    )
