"""IPNS records: the specification's own, ours, and damaged ones."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from ipfs_accel_cli.content import _protobuf, dagcbor, ipns, libp2pkey
from ipfs_accel_cli.content.cid import CID, RAW
from ipfs_accel_cli.content.errors import ContentError, Expired, Forged, Malformed, OverLimit, Unsupported
from ipfs_accel_cli.content.libp2pkey import ECDSA, RSA, SECP256K1, PublicKey

VECTORS = Path(__file__).parents[2] / "vectors" / "ipns"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
NAME = libp2pkey.name_of(libp2pkey.ed25519(KEY.public_key().public_bytes_raw()))
VALUE = "/ipfs/bafkqaddwgevxmmraojswg33smq"
LATER = 4_000_000_000 * ipns.NANOSECONDS


def vector(part: str) -> tuple[bytes, CID]:
    (path,) = VECTORS.glob(f"*{part}*.ipns-record")
    return path.read_bytes(), libp2pkey.parse_name(path.stem.split("_")[0])


def made(legacy: bool = True, sequence: int = 7, eol_ns: int = LATER, ttl_ns: int = 60 * ipns.NANOSECONDS) -> bytes:
    return ipns.create(KEY.sign, VALUE, sequence=sequence, eol_ns=eol_ns, ttl_ns=ttl_ns, legacy=legacy)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("8mk9w_v1-v2", "/ipfs/bafkqaddwgevxmmraojswg33smq"),
        ("broken-signature-v1", "/ipfs/bafkqahtwgevxmmrao5uxi2bamjzg623fnyqhg2lhnzqxi5lsmuqhmmi"),
        ("03f_v2", "/ipfs/bafkqadtwgiww63tmpeqhezldn5zgi"),
        ("QmVujd", "/ipfs/bafkreicysg23kiwv34eg2d7qweipxwosdo2py4ldv42nbauguluen5v6am"),
        ("12D3Koo", "/ipfs/bafkreicysg23kiwv34eg2d7qweipxwosdo2py4ldv42nbauguluen5v6am"),
    ],
)
def test_a_record_that_must_be_valid_is(part: str, value: str) -> None:
    data, name = vector(part)
    record = ipns.decode(data)
    record.verify(name, time.time_ns())
    assert record.value == value


@pytest.mark.parametrize("part", ["6p7ku_v1", "broken-v1-value", "broken-signature-v2"])
def test_a_record_that_must_be_invalid_is(part: str) -> None:
    data, name = vector(part)
    with pytest.raises(ContentError):
        ipns.decode(data).verify(name, time.time_ns())


def test_we_sign_the_same_bytes_as_the_writer_of_the_specifications_records() -> None:
    data, name = vector("8mk9w_v1-v2")
    record = ipns.decode(data)
    theirs = {field: bytes(content) for field, _, _, content in _protobuf.fields(data)}
    # That writer leaves out the zeros at the end of the time, and we do not.
    ours: dict[bytes, bytes] = {}

    def sign(text: bytes) -> bytes:
        ours[text.replace(b"694052000Z", b"694052Z").replace(b"X\x1e2123", b"X\x1b2123")] = text
        return bytes(64)

    again = ipns.create(sign, record.value, sequence=0, eol_ns=record.eol_ns, ttl_ns=record.ttl_ns)
    assert {field for field, *_ in _protobuf.fields(again)} == set(theirs)
    key = libp2pkey.key_in(name)
    assert key is not None
    for text, signature in zip(ours, (theirs[2], theirs[8]), strict=True):
        key.verify(signature, text)


@given(
    st.text(max_size=200),
    st.integers(0, ipns.MAX_SEQUENCE),
    st.integers(0, 250_000_000_000 * ipns.NANOSECONDS),
    st.integers(0, 1 << 62),
    st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_what_is_made_is_read_back_and_verified(value: str, sequence: int, eol: int, ttl: int, legacy: bool) -> None:
    data = ipns.create(KEY.sign, value, sequence=sequence, eol_ns=eol, ttl_ns=ttl, legacy=legacy)
    record = ipns.decode(data)
    record.verify(NAME)
    assert (record.value, record.sequence, record.eol_ns, record.ttl_ns) == (value, sequence, eol, ttl)
    assert record.legacy is legacy
    assert record.valid_at(eol - 1)
    assert not record.valid_at(eol)


def test_no_bit_of_a_record_can_be_flipped() -> None:
    data = made(legacy=False)
    for place in range(len(data) * 8):
        bad = bytearray(data)
        bad[place // 8] ^= 1 << place % 8
        with pytest.raises(ContentError):
            ipns.decode(bytes(bad)).verify(NAME)


def test_whatever_is_done_to_the_copies_for_older_software_a_record_says_the_same_or_is_refused() -> None:
    data = made()
    true = ipns.decode(data)
    refused = 0
    for place in range(len(data) * 8):
        bad = bytearray(data)
        bad[place // 8] ^= 1 << place % 8
        try:
            record = ipns.decode(bytes(bad))
            record.verify(NAME)
        except ContentError:
            refused += 1
            continue
        assert (record.value, record.sequence, record.eol_ns, record.ttl_ns) == (
            *(true.value, true.sequence),
            *(true.eol_ns, true.ttl_ns),
        )
    # What is let through is the old signature, which must not count, and the tag of a field that is zero anyway.
    assert refused >= (len(data) - 64 - 4) * 8


@given(st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_bytes_of_any_kind_are_refused_in_order(data: bytes) -> None:
    with pytest.raises(ContentError):
        ipns.decode(data).verify(NAME)


def test_another_name_does_not_have_this_record() -> None:
    other = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    with pytest.raises(Forged):
        ipns.decode(made()).verify(libp2pkey.name_of(libp2pkey.ed25519(other)))


def test_a_key_that_is_put_into_a_record_must_be_that_of_the_name() -> None:
    other = Ed25519PrivateKey.generate()
    public = libp2pkey.ed25519(other.public_key().public_bytes_raw())
    data = ipns.create(other.sign, VALUE, sequence=1, eol_ns=LATER, ttl_ns=0, public_key=public)
    ipns.decode(data).verify(libp2pkey.name_of(public))
    with pytest.raises(Forged):
        ipns.decode(data).verify(NAME)


def test_a_record_ends_when_it_says() -> None:
    record = ipns.decode(made(eol_ns=1_000))
    record.verify(NAME, 999)
    with pytest.raises(Expired):
        record.verify(NAME, 1_000)


def test_a_record_has_at_most_ten_kibibytes() -> None:
    value = "/ipfs/bafkqaaa/" + "x" * ipns.MAX_BYTES
    with pytest.raises(OverLimit):
        ipns.create(KEY.sign, value, sequence=0, eol_ns=LATER, ttl_ns=0)
    with pytest.raises(OverLimit):
        ipns.decode(bytes(ipns.MAX_BYTES + 1))


def test_the_higher_sequence_is_better_and_then_the_later_end() -> None:
    old, new = ipns.decode(made(sequence=1, eol_ns=LATER)), ipns.decode(made(sequence=2, eol_ns=LATER - 1))
    assert ipns.better(old, new) is new
    assert ipns.better(new, old) is new
    longer = ipns.decode(made(sequence=2, eol_ns=LATER))
    assert ipns.better(new, longer) is longer
    assert ipns.better(longer, ipns.decode(made(sequence=2, eol_ns=LATER))) is longer


@pytest.mark.parametrize(
    ("text", "at_ns"),
    [
        (b"1970-01-01T00:00:00.000000001Z", 1),
        (b"1970-01-01T00:00:00Z", 0),
        (b"1970-01-01T01:00:00.5+01:00", 500_000_000),
        (b"1969-12-31T23:00:00-01:00", 0),
        (b"1969-12-31T23:59:59.999999999Z", -1),
        (b"2123-04-12T13:44:59.801728Z", 4836980699801728000),
    ],
)
def test_times_are_read_to_the_nanosecond(text: bytes, at_ns: int) -> None:
    assert ipns.parse_time(text) == at_ns


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"2020-01-01",
        b"2020-13-01T00:00:00Z",
        b"2020-01-01T24:00:00Z",
        b"2020-01-01T00:00:00",
        b"0000-01-01T00:00:00Z",
        b"0001-01-01T00:00:00+00:01",
        b"9999-12-31T23:59:59-00:01",
        b"2020-01-01T00:00:00.1234567890Z",
        b"2020-01-01T00:00:00Z\n",
        "٢٠٢٠-01-01T00:00:00Z".encode(),
    ],
)
def test_what_is_no_time_is_refused(text: bytes) -> None:
    with pytest.raises(Malformed):
        ipns.parse_time(text)


@pytest.mark.parametrize(
    "change",
    [{"Sequence": -1}, {"TTL": True}, {"ValidityType": 1}, {"Value": "text"}, {"Validity": b"tomorrow"}, {"TTL": None}],
)
def test_a_signed_document_of_another_shape_is_refused(change: dict[str, object]) -> None:
    document: dict[str, object] = {
        "Value": VALUE.encode(),
        "Validity": b"2123-01-01T00:00:00Z",
        "ValidityType": 0,
        "Sequence": 1,
        "TTL": 1,
        "_more": "is allowed",
    }
    ipns.decode(entry(document)).verify(NAME)
    with pytest.raises(Malformed):
        ipns.decode(entry(document | change))


def entry(document: dict[str, object]) -> bytes:
    signed = dagcbor.encode(document)
    signature = KEY.sign(b"ipns-signature:" + signed)
    return _protobuf.bytes_field(8, signature) + _protobuf.bytes_field(9, signed)


def test_fields_that_are_not_known_yet_are_let_be_and_known_ones_come_once() -> None:
    data = made(legacy=False)
    ipns.decode(data + _protobuf.bytes_field(99, b"new")).verify(NAME)
    with pytest.raises(Malformed):
        ipns.decode(data + _protobuf.bytes_field(9, b"again"))


@pytest.mark.parametrize("kind", [RSA, SECP256K1, ECDSA])
def test_records_of_other_kinds_of_keys_are_verified(kind: int) -> None:
    if kind == RSA:
        long = rsa.generate_private_key(65537, 2048)
        der = long.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        public, sign = PublicKey(RSA, der), lambda text: long.sign(text, padding.PKCS1v15(), SHA256())
    else:
        curve = ec.generate_private_key(ec.SECP256K1() if kind == SECP256K1 else ec.SECP256R1())
        form = (Encoding.X962, PublicFormat.CompressedPoint)
        form = form if kind == SECP256K1 else (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        public = PublicKey(kind, curve.public_key().public_bytes(*form))
        sign = lambda text: curve.sign(text, ec.ECDSA(SHA256()))  # noqa: E731
    name = libp2pkey.name_of(public)
    inlined = libp2pkey.key_in(name) is not None
    assert inlined is (kind == SECP256K1)
    data = ipns.create(
        sign, VALUE, sequence=1, eol_ns=LATER, ttl_ns=0, public_key=None if inlined else public, legacy=False
    )
    ipns.decode(data).verify(name)
    with pytest.raises(ContentError):
        ipns.decode(data[:-1] + bytes([data[-1] ^ 1])).verify(name)
    if not inlined:
        bare = ipns.create(sign, VALUE, sequence=1, eol_ns=LATER, ttl_ns=0)
        with pytest.raises(Forged, match="only a hash"):
            ipns.decode(bare).verify(name)


def test_a_short_rsa_key_does_not_count() -> None:
    short = rsa.generate_private_key(65537, 1024)
    public = PublicKey(RSA, short.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    data = ipns.create(
        lambda text: short.sign(text, padding.PKCS1v15(), SHA256()),
        VALUE,
        sequence=1,
        eol_ns=LATER,
        ttl_ns=0,
        public_key=public,
    )
    with pytest.raises(Unsupported):
        ipns.decode(data).verify(libp2pkey.name_of(public))


def test_a_name_is_the_same_in_all_its_forms() -> None:
    text = "12D3KooWLQzUv2FHWGVPXTXSZpdHs7oHbXub2G5WC8Tx4NQhyd2d"
    name = libp2pkey.parse_name(text)
    assert libp2pkey.peer_text(name) == text
    for base in ("base16", "base32", "base36", "base58btc"):
        assert libp2pkey.parse_name(name.encode(base)) == name
    assert libp2pkey.name_text(name).startswith("k51")


@pytest.mark.parametrize("text", ["", "1", "Qm", "12D3KooW", "example.com", str(CID.of(b"", RAW)), "k51qzi5uqu5d"])
def test_what_is_no_name_is_refused(text: str) -> None:
    assert not libp2pkey.is_name(text)


def test_a_private_key_is_carried_as_libp2p_writes_it() -> None:
    data = libp2pkey.encode_private(KEY)
    assert data.hex() == "08011240" + (bytes(range(32)) + KEY.public_key().public_bytes_raw()).hex()
    again = libp2pkey.decode_private(data)
    assert again.private_bytes_raw() == bytes(range(32))
    old = _protobuf.number_field(1, 1) + _protobuf.bytes_field(2, data[4:] + data[36:])
    assert libp2pkey.decode_private(old).private_bytes_raw() == bytes(range(32))
    with pytest.raises(Malformed):
        libp2pkey.decode_private(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(Unsupported):
        libp2pkey.decode_private(_protobuf.number_field(1, 0) + _protobuf.bytes_field(2, b"rsa"))
