"""Signing envelopes: a typed payload and signatures over both.

Source: DSSE, https://github.com/secure-systems-lab/dsse, protocol 1.0.0 and its JSON envelope.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any

from . import strictjson
from .errors import Malformed

MAX_BYTES = 1 << 20  # As an envelope; it has to fit into one block of the store.
MAX_SIGNATURES = 16

_URL_SAFE = str.maketrans("-_", "+/")


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature; `keyid` is a hint that nothing authenticates."""

    keyid: str
    sig: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """A payload, its type, and who signed both."""

    payload_type: str
    payload: bytes
    signatures: tuple[Signature, ...]

    def signed(self) -> bytes:
        """Return the bytes that every signature is over."""
        return pae(self.payload_type, self.payload)

    def body(self) -> dict[str, Any]:
        """Return the JSON object of the envelope, in standard base64."""
        return {
            "payload": _text(self.payload),
            "payloadType": self.payload_type,
            "signatures": [{"keyid": one.keyid, "sig": _text(one.sig)} for one in self.signatures],
        }

    def encode(self) -> bytes:
        """Write the envelope as one line of JSON, without its end."""
        return strictjson.encode(self.body())


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return the pre-authentication encoding, in which nothing can move between type and payload."""
    name = payload_type.encode("utf-8")
    return b"DSSEv1 %d %b %d %b" % (len(name), name, len(payload), payload)


def decode(data: bytes) -> Envelope:
    """Read an envelope; raises Malformed, and OverLimit for more than MAX_BYTES."""
    return of_body(strictjson.decode(data, MAX_BYTES))


def of_body(body: object) -> Envelope:
    """Read an envelope from its JSON object; members that are not known are ignored, as the specification asks.

    That of a Sigstore bundle is taken from inside it. Raises Malformed.
    """
    if isinstance(body, dict) and isinstance(body.get("dsseEnvelope"), dict):
        body = body["dsseEnvelope"]
    if not isinstance(body, dict):
        raise Malformed("an envelope is a JSON object")
    payload_type, signatures = body.get("payloadType"), body.get("signatures")
    if not isinstance(payload_type, str) or not isinstance(signatures, list):
        raise Malformed("an envelope has a payloadType and a list of signatures")
    if not 0 < len(signatures) <= MAX_SIGNATURES:
        raise Malformed(f"an envelope has 1 to {MAX_SIGNATURES} signatures, not {len(signatures)}")
    return Envelope(payload_type, _bytes(body.get("payload"), "payload"), tuple(_signature(one) for one in signatures))


def _signature(body: object) -> Signature:
    if not isinstance(body, dict):
        raise Malformed("a signature is a JSON object")
    keyid = body.get("keyid", "")
    if not isinstance(keyid, str):
        raise Malformed("the keyid of a signature is text")
    return Signature(keyid, _bytes(body.get("sig"), "sig"))


def _bytes(text: object, name: str) -> bytes:
    if not isinstance(text, str):
        raise Malformed(f"the {name} of an envelope is base64 text")
    # Both alphabets are allowed, each with or without padding at its end.
    plain = text.rstrip("=").translate(_URL_SAFE)
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed(f"the {name} of the envelope is not base64: {error}") from error


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
