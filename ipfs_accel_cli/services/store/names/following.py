"""How names are written, and where they lead: from one record to the next until content is reached."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ipfs_accel_cli.content import libp2pkey
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.errors import ContentError
from ipfs_accel_cli.content.ipns import Record
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Invalid, LimitReached, UnsupportedContent, VerificationFailed
from ipfs_accel_cli.services.store.names.keys import NameKeys
from ipfs_accel_cli.services.store.references import Pointer, Reference, parse, pointer

MAX_HOPS = 32


@dataclass(frozen=True, slots=True)
class Followed:
    """Where a name led, and the records on the way, the first of them first."""

    reference: Reference
    records: tuple[Record, ...]


def name_in(text: str, keys: NameKeys) -> CID:
    """Read a name as people write it: k51…, a peer id, /ipns/NAME, ipns://NAME, or what a key is called here.

    Raises Invalid, NotFound for a key that is not here, and UnsupportedContent for a domain.
    """
    found = pointer(text)
    if found is None:
        found = Pointer(text.strip())
    if found.path:
        raise Invalid(f"{text[:80]!r} is a path below a name; give the name alone")
    return resolved(found, keys)


def resolved(found: Pointer, keys: NameKeys) -> CID:
    """Return the name that a pointer means; raises as `name_in`."""
    if found.is_key or keys.has(found.name):
        return keys.public(found.name)
    return _read(found.name)


def follow(start: CID, path: tuple[str, ...], newest: Callable[[CID], Record]) -> Followed:
    """Go from name to name until a path begins with content; `newest` gives a verified record that is still valid.

    Raises LimitReached after 32 names, VerificationFailed for a record that states no path.
    """
    records: list[Record] = []
    name = start
    while len(records) < MAX_HOPS:
        current().check()
        record = newest(name)
        records.append(record)
        try:
            further = _target(record.value)
        except Invalid as error:
            raise VerificationFailed(
                f"the record of {libp2pkey.name_text(name)} states {record.value[:80]!r}, which leads nowhere"
            ) from error
        if isinstance(further, Reference):
            return Followed(Reference(further.cid, (*further.path, *path)), tuple(records))
        name, path = _read(further.name), (*further.path, *path)
    raise LimitReached(f"{libp2pkey.name_text(start)} leads through more than {MAX_HOPS} names")


def _target(value: str) -> Reference | Pointer:
    """Read the value of a record; what keys are called in one home means nothing in another."""
    found = pointer(value)
    if found is None:
        return parse(value)
    if found.is_key:
        raise Invalid(f"{value[:80]!r} is no path")
    return found


def _read(text: str) -> CID:
    try:
        return libp2pkey.parse_name(text)
    except ContentError as error:
        if "." in text:
            raise UnsupportedContent(f"{text[:80]!r} is a domain; records of DNS are not looked up here") from error
        raise Invalid(
            f"{text[:80]!r} is neither an IPNS name nor the name of a key: {error}",
            suggestion="ipfs-accel store key ls",
        ) from error
