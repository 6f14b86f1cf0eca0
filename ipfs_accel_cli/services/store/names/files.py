"""Records in files: taken apart, verified, written out, taken in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ipfs_accel_cli.content import ipns, libp2pkey
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.errors import ContentError
from ipfs_accel_cli.content.ipns import Record
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import AccelError, Invalid, NotFound
from ipfs_accel_cli.services.store.keyring import read_file, write_new
from ipfs_accel_cli.services.store.names.following import name_in
from ipfs_accel_cli.services.store.names.keys import NameKeys
from ipfs_accel_cli.services.store.names.records import Records
from ipfs_accel_cli.services.store.names.results import InspectedName, RecordFile, VerifiedName
from ipfs_accel_cli.services.store.references import pointer
from ipfs_accel_cli.services.store.telling import told

SUFFIX = ".ipns-record"


class RecordFiles:
    """What can be done with single records, in files or kept here."""

    def __init__(self, records: Records, keys: NameKeys, now_ns: Callable[[], int]) -> None:
        self._records = records
        self._keys = keys
        self._now_ns = now_ns

    @told()
    def inspect(self, source: str, name: str | None = None) -> InspectedName:
        """Take apart a record in a file, or the newest of a name; raises NotFound, and MalformedContent for no record.

        Without a name to check a file against, that in the record or in the file's name is taken.
        """
        record, known = self._read(source)
        if name is not None:
            known = name_in(name, self._keys)
        trouble, key_type = _trouble(record, known)
        return InspectedName(
            name=None if known is None else libp2pkey.name_text(known),
            value=record.value,
            sequence=record.sequence,
            valid_until=record.validity,
            expired=not record.valid_at(self._now_ns()),
            ttl_seconds=record.ttl_ns / ipns.NANOSECONDS,
            verified=trouble is None,
            trouble=trouble,
            key_type=key_type,
            legacy=record.legacy,
            size_bytes=len(record.encoded),
        )

    @told()
    def verify(self, file: Path, name: str) -> VerifiedName:
        """Check that a name's key signed the record in a file, and that its time is not over.

        Raises VerificationFailed, MalformedContent, LimitReached for more than 10 KiB, and NotFound.
        """
        known = name_in(name, self._keys)
        record = ipns.decode(read_file(file))
        record.verify(known, self._now_ns())
        return VerifiedName(
            name=libp2pkey.name_text(known),
            value=record.value,
            sequence=record.sequence,
            valid_until=record.validity,
        )

    @told()
    def export(self, name: str, output: Path | None = None) -> RecordFile:
        """Write the newest record of a name to a file; raises NotFound, and Conflict for a file that differs."""
        known = name_in(name, self._keys)
        record = self._kept(known)
        path = output or Path(libp2pkey.name_text(known) + SUFFIX)
        unchanged = write_new(path, record.encoded, 0o666)
        return _shown(known, path, record, unchanged=unchanged)

    @told()
    def take(self, file: Path, name: str | None = None) -> RecordFile:
        """Keep the record in a file, where it is verified, still valid, and newer than what is here.

        Raises Invalid where nothing says of which name it is, and as `verify`.
        """
        record = ipns.decode(read_file(file))
        known = _stated(record, file) if name is None else name_in(name, self._keys)
        if known is None:
            raise Invalid(
                f"neither the record nor the name of the file {file} says of which name it is",
                suggestion="ipfs-accel store name import FILE --name NAME",
            )
        record.verify(known, self._now_ns())
        kept = self._records.keep(known, record)
        return _shown(known, file, kept, unchanged=kept is not record)

    def _read(self, source: str) -> tuple[Record, CID | None]:
        if pointer(source) is not None or libp2pkey.is_name(source) or self._keys.has(source):
            name = name_in(source, self._keys)
            return self._kept(name), name
        path = current().path(source)
        try:
            record = ipns.decode(read_file(path))
        except NotFound as error:
            raise NotFound(
                f"there is neither a file, nor an IPNS name, nor a key named {source[:80]!r}",
                suggestion="ipfs-accel store name ls",
            ) from error
        return record, _stated(record, path)

    def _kept(self, name: CID) -> Record:
        record = self._records.find(name)
        if record is None:
            raise NotFound(
                f"no record of the name {libp2pkey.name_text(name)} is kept here", suggestion="ipfs-accel store name ls"
            )
        return record


def _stated(record: Record, file: Path) -> CID | None:
    """Return the name that the public key in a record has, else the one that its file is called by."""
    if record.public_key is not None:
        return libp2pkey.name_of(record.public_key)
    try:
        return libp2pkey.parse_name(file.name.partition(".")[0].partition("_")[0])
    except ContentError:
        return None


def _trouble(record: Record, name: CID | None) -> tuple[str | None, str | None]:
    """Say why a record is not proven by its name, and the kind of its key."""
    if name is None:
        return "nothing says of which name it is", None
    try:
        key = record.key(name)
    except (ContentError, AccelError) as error:
        return str(error), None
    try:
        record.verify(name)
    except (ContentError, AccelError) as error:
        return str(error), key.kind_name
    return None, key.kind_name


def _shown(name: CID, path: Path, record: Record, *, unchanged: bool) -> RecordFile:
    return RecordFile(
        name=libp2pkey.name_text(name),
        path=str(path),
        sequence=record.sequence,
        valid_until=record.validity,
        unchanged=unchanged,
    )
