"""Signing envelopes, keys as text and strict JSON, held against the specifications' own examples."""

from __future__ import annotations

import base64
import json

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from ipfs_accel_cli.content import didkey, dsse, strictjson
from ipfs_accel_cli.content.errors import ContentError, Malformed, OverLimit, Unsupported

# The example of the DSSE protocol 1.0.0, "Test Vectors": ECDSA over P-256, the raw r and s behind each other.
PUBLISHED = (
    b'{"payload": "aGVsbG8gd29ybGQ=",\n "payloadType": "http://example.com/HelloWorld",\n "signatures": [{"sig": '
    b'"A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA=="}]}'
)
X = 46950820868899156662930047687818585632848591499744589407958293238635476079160
Y = 5640078356564379163099075877009565129882514886557779369047442380624545832820
# The first Ed25519 example of the did:key specification.
DID = "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp"
KEY = "3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29"


def test_the_published_example_is_read_and_its_signature_holds_over_our_encoding() -> None:
    envelope = dsse.decode(PUBLISHED)
    assert (envelope.payload, envelope.signatures[0].keyid) == (b"hello world", "")
    assert envelope.signed() == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"

    sig = envelope.signatures[0].sig
    pair = encode_dss_signature(int.from_bytes(sig[:32], "big"), int.from_bytes(sig[32:], "big"))
    key = ec.EllipticCurvePublicNumbers(X, Y, ec.SECP256R1()).public_key()
    key.verify(pair, envelope.signed(), ec.ECDSA(hashes.SHA256()))


@given(st.text(max_size=40), st.binary(max_size=200), st.binary(min_size=1, max_size=64))
def test_an_envelope_reads_back(payload_type: str, payload: bytes, sig: bytes) -> None:
    envelope = dsse.Envelope(payload_type, payload, (dsse.Signature("key", sig),))
    assert dsse.decode(envelope.encode()) == envelope


@given(st.text(max_size=20), st.binary(max_size=50), st.text(max_size=20), st.binary(max_size=50))
def test_what_is_signed_tells_the_type_from_the_payload(one: str, first: bytes, other: str, second: bytes) -> None:
    assert (dsse.pae(one, first) == dsse.pae(other, second)) is ((one, first) == (other, second))


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("padding", ["=", ""])
def test_both_alphabets_of_base64_are_read(encode: object, padding: str) -> None:
    payload = bytes(range(256)) * 2
    text = encode(payload).decode().rstrip("=") + padding * (-len(payload) % 3)  # type: ignore[operator]
    body = {"payloadType": "t", "payload": text, "signatures": [{"sig": "AA=="}]}
    assert dsse.of_body(body).payload == payload


@pytest.mark.parametrize(
    "data",
    [
        b"{}",
        b"[]",
        b"\xff",
        b'{"payloadType":"t","payload":"AA==","signatures":[]}',
        b'{"payloadType":"t","payload":"A","signatures":[{"sig":"AA=="}]}',
        b'{"payloadType":"t","payload":"A A=","signatures":[{"sig":"AA=="}]}',
        b'{"payloadType":"t","payload":"AA==","signatures":[{"sig":7}]}',
        b'{"payloadType":"t","payload":"AA==","signatures":[{"keyid":7,"sig":"AA=="}]}',
        b'{"payloadType":"t","payload":"AA==","payload":"AQ==","signatures":[{"sig":"AA=="}]}',
        b'{"payloadType":"t","payload":"AA==","signatures":[{"sig":"AA=="}],"more":NaN}',
        b'{"payloadType":"\\ud800","payload":"AA==","signatures":[{"sig":"AA=="}]}',
        b"[" * 100_000,
        json.dumps({"payloadType": "t", "payload": "", "signatures": [{"sig": ""}] * 17}).encode(),
    ],
)
def test_what_is_no_envelope_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        dsse.decode(data)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["keyid", "sig", "name"]), inner),
    max_leaves=8,
)
BODIES = st.dictionaries(st.sampled_from(["payload", "payloadType", "signatures", "dsseEnvelope"]), VALUES)


@given(st.binary(max_size=60) | BODIES.map(lambda body: json.dumps(body).encode()))
def test_anything_is_read_as_an_envelope_or_refused(data: bytes) -> None:
    try:
        envelope = dsse.decode(data)
    except ContentError:
        return
    assert dsse.decode(envelope.encode()) == envelope


def test_a_huge_envelope_is_refused_before_it_is_read() -> None:
    with pytest.raises(OverLimit):
        dsse.decode(b'"' + b"a" * dsse.MAX_BYTES + b'"')


def test_an_envelope_in_a_sigstore_bundle_is_found() -> None:
    inner = json.loads(PUBLISHED)
    assert dsse.of_body({"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", "dsseEnvelope": inner}) == (
        dsse.decode(PUBLISHED)
    )


def test_json_is_written_the_same_whatever_the_order_of_its_keys() -> None:
    assert (
        strictjson.encode({"b": 1, "a": ["ü"]})
        == strictjson.encode({"a": ["ü"], "b": 1})
        == '{"a":["ü"],"b":1}'.encode()
    )


def test_the_specified_did_key_is_read_and_written() -> None:
    assert didkey.decode(DID).hex() == KEY
    assert didkey.encode(bytes.fromhex(KEY)) == DID


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", Malformed),
        ("did:web:example.org", Malformed),
        ("did:key:" + "z" * 500, Malformed),
        (DID[:-1] + "0", Malformed),
        (DID + "1", Unsupported),
        ("did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169", Unsupported),
    ],
)
def test_what_is_no_ed25519_did_key_is_refused(text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        didkey.decode(text)
