"""IPNS records: signed statements that a name leads to a path, for a time.

Source: https://specs.ipfs.tech/ipns/ipns-record/.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from . import _protobuf, dagcbor
from .cid import CID
from .errors import Expired, Forged, Malformed, OverLimit
from .libp2pkey import PublicKey, checked_name, key_in, name_of, name_text
from .varint import Buffer

MAX_BYTES = 10 << 10
MAX_SEQUENCE = (1 << 64) - 1
NANOSECONDS = 10**9

_PREFIX = b"ipns-signature:"
_EOL = 0  # The only kind of validity: a time at which it ends.
_VALUE, _SIGNATURE_V1, _VALIDITY_TYPE, _VALIDITY, _SEQUENCE, _TTL, _PUBLIC_KEY, _SIGNATURE_V2, _DATA = range(1, 10)
_WIRES = {
    _VALUE: _protobuf.BYTES,
    _SIGNATURE_V1: _protobuf.BYTES,
    _VALIDITY_TYPE: _protobuf.VARINT,
    _VALIDITY: _protobuf.BYTES,
    _SEQUENCE: _protobuf.VARINT,
    _TTL: _protobuf.VARINT,
    _PUBLIC_KEY: _protobuf.BYTES,
    _SIGNATURE_V2: _protobuf.BYTES,
    _DATA: _protobuf.BYTES,
}
_TIME = re.compile(
    rb"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))", re.ASCII
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_799  # Of the years 1 to 9999.


@dataclass(frozen=True, slots=True)
class Record:
    """A record as it was read; nothing of it counts before `verify`.

    `value` is a path such as `/ipfs/bafy…`; `eol_ns` is when it ends, in nanoseconds since 1970; `signed` is the
    dag-cbor document that the signature is over; `legacy` says whether it has the fields that older software reads.
    """

    encoded: bytes
    value: str
    validity: str
    eol_ns: int
    sequence: int
    ttl_ns: int
    signed: bytes
    signature: bytes
    public_key: PublicKey | None
    legacy: bool

    def key(self, name: CID) -> PublicKey:
        """Return the key that a record of this name is signed with; raises Forged where there is none to check with."""
        inlined = key_in(checked_name(name))
        if self.public_key is None:
            if inlined is None:
                raise Forged(f"the record has no public key, and {name_text(name)} holds only a hash of one")
            return inlined
        if name_of(self.public_key) != name:
            raise Forged(f"the public key in the record is not that of {name_text(name)}")
        return self.public_key

    def verify(self, name: CID, now_ns: int | None = None) -> None:
        """Check that the key of a name signed this record and, given the time, that the record is still valid.

        Raises Forged, Expired, Malformed, and Unsupported for a kind of key that cannot be checked here.
        """
        self.key(name).verify(self.signature, _PREFIX + self.signed)
        if now_ns is not None and not self.valid_at(now_ns):
            raise Expired(f"the record of {name_text(name)} was valid until {self.validity}")

    def valid_at(self, now_ns: int) -> bool:
        """Say whether the record's time is not over."""
        return self.eol_ns > now_ns


def create(
    sign: Callable[[bytes], bytes],
    value: str,
    *,
    sequence: int,
    eol_ns: int,
    ttl_ns: int,
    public_key: PublicKey | None = None,
    legacy: bool = True,
) -> bytes:
    """Make a record; `sign` signs bytes with the key of its name, which needs `public_key` where it is only a hash.

    Raises Malformed, and OverLimit for one of more than 10 KiB.
    """
    target, validity = value.encode("utf-8"), format_time(eol_ns).encode("ascii")
    document = {"Value": target, "Validity": validity, "ValidityType": _EOL, "Sequence": sequence, "TTL": ttl_ns}
    signed = dagcbor.encode(document)
    out = b""
    if legacy:
        out += _protobuf.bytes_field(_VALUE, target)
        out += _protobuf.bytes_field(_SIGNATURE_V1, sign(target + validity + b"EOL"))
        out += _protobuf.number_field(_VALIDITY_TYPE, _EOL) + _protobuf.bytes_field(_VALIDITY, validity)
        out += _protobuf.number_field(_SEQUENCE, sequence) + _protobuf.number_field(_TTL, ttl_ns)
    if public_key is not None:
        out += _protobuf.bytes_field(_PUBLIC_KEY, public_key.encode())
    out += _protobuf.bytes_field(_SIGNATURE_V2, sign(_PREFIX + signed)) + _protobuf.bytes_field(_DATA, signed)
    decode(out)
    return out


def decode(data: Buffer) -> Record:
    """Read a record and check that its parts agree; raises Malformed, and OverLimit for more than 10 KiB.

    A record without the signature of version 2, which is the only one that counts, is Malformed.
    """
    if len(data) > MAX_BYTES:
        raise OverLimit(f"an IPNS record has {MAX_BYTES} bytes at most, not {len(data)}")
    fields = _fields(data)
    signed, signature = fields.get(_DATA, b""), fields.get(_SIGNATURE_V2, b"")
    if not signed or not signature:
        raise Malformed("an IPNS record has data and a signature of version 2 over it")
    document = _document(signed)
    legacy = _SIGNATURE_V1 in fields or _VALUE in fields
    if legacy:
        _check_legacy(fields, document)
    return Record(
        encoded=bytes(data),
        value=_text(document["Value"]),
        validity=_text(document["Validity"]),
        eol_ns=parse_time(document["Validity"]),
        sequence=document["Sequence"],
        ttl_ns=document["TTL"],
        signed=signed,
        signature=signature,
        public_key=PublicKey.decode(fields[_PUBLIC_KEY]) if fields.get(_PUBLIC_KEY) else None,
        legacy=legacy,
    )


def better(one: Record, other: Record) -> Record:
    """Choose between two verified records of one name: the higher sequence, then the later end, else the first."""
    return other if (other.sequence, other.eol_ns) > (one.sequence, one.eol_ns) else one


def format_time(at_ns: int) -> str:
    """Write a time as RFC 3339 with nanoseconds, in UTC; raises Malformed outside of the years 1 to 9999."""
    seconds, rest = divmod(at_ns, NANOSECONDS)
    try:
        at = _EPOCH + timedelta(seconds=seconds)
    except OverflowError as error:
        raise Malformed("a record ends in a year of four digits") from error
    # The platform's own way to write years below 1000 drops their zeros.
    return f"{at.year:04}{at:-%m-%dT%H:%M:%S}.{rest:09}Z"


def parse_time(text: bytes) -> int:
    """Read a time as nanoseconds since 1970; raises Malformed."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise Malformed(f"the validity {text[:40]!r} is not a time as RFC 3339 writes it")
    try:
        at = datetime.fromisoformat(f"{match[1].decode()}T{match[2].decode()}+00:00")
    except ValueError as error:
        raise Malformed(f"the validity {text[:40]!r} is not a time: {error}") from error
    since = at - _EPOCH
    seconds = since.days * 86400 + since.seconds
    if match[4]:
        ahead = int(match[5]) * 3600 + int(match[6]) * 60
        seconds += -ahead if match[4] == b"+" else ahead
    if not _FIRST_SECOND <= seconds <= _LAST_SECOND:
        raise Malformed(f"the validity {text[:40]!r} is outside of the years 1 to 9999 in UTC")
    return seconds * NANOSECONDS + int((match[3] or b"").ljust(9, b"0"))


def _fields(data: Buffer) -> dict[int, Any]:
    found: dict[int, Any] = {}
    for field, wire, number, content in _protobuf.fields(data):
        if field not in _WIRES:
            continue  # Fields may be added to the format.
        if wire != _WIRES[field]:
            raise Malformed(f"field {field} of an IPNS record has the wrong wire type")
        if field in found:
            raise Malformed(f"field {field} of an IPNS record is there twice")
        found[field] = number if wire == _protobuf.VARINT else bytes(content)
    return found


def _document(signed: bytes) -> dict[str, Any]:
    document = dagcbor.decode(signed)
    if not isinstance(document, dict):
        raise Malformed("the data of an IPNS record is a map")
    for name, kind in (("Value", bytes), ("Validity", bytes), ("ValidityType", int), ("Sequence", int), ("TTL", int)):
        # `type` and not isinstance, because True is an int.
        if type(document.get(name)) is not kind:
            raise Malformed(f"{name} in the data of an IPNS record is not of type {kind.__name__}")
    if document["ValidityType"] != _EOL:
        raise Malformed(f"the validity of type {document['ValidityType']} is not known")
    if min(document["Sequence"], document["TTL"]) < 0:
        raise Malformed("a sequence and a TTL are 0 or more")
    return document


def _check_legacy(fields: dict[int, Any], document: dict[str, Any]) -> None:
    copies = (
        (_VALUE, b"", "Value"),
        (_VALIDITY, b"", "Validity"),
        (_VALIDITY_TYPE, 0, "ValidityType"),
        (_SEQUENCE, 0, "Sequence"),
        (_TTL, 0, "TTL"),
    )
    for field, absent, name in copies:
        if fields.get(field, absent) != document[name]:
            raise Malformed(f"{name} differs between the signed data of the record and its copy for older software")


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed("the value of an IPNS record is not text") from error
