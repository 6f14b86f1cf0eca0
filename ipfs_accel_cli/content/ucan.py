"""UCAN 0.9 tokens in their IPLD form: signed words that somebody may do something.

A delegation hands a right on; an invocation is a delegation whose audience is the service that shall act.
Source: https://github.com/ucan-wg/ucan-ipld, version 0.9.1, as Storacha's services read it.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import dagcbor, dagjson, principal
from .car import Block
from .cid import CID, DAG_CBOR
from .errors import Malformed, Unsupported
from .principal import Signer

VERSION = "0.9.1"
_VERSIONS = frozenset({VERSION})
_NEEDED = frozenset({"v", "iss", "aud", "s", "att", "prf", "exp"})
_OPTIONAL = frozenset({"nnc", "fct", "nbf"})


@dataclass(frozen=True, slots=True)
class Capability:
    """A right: what (`can`), at which resource (`with`), and under which conditions (`nb`)."""

    can: str
    resource: str
    conditions: Mapping[str, Any] | None = None

    def body(self) -> dict[str, Any]:
        """Return the map that stands in a token."""
        conditions = {} if self.conditions is None else {"nb": dict(self.conditions)}
        return {"can": self.can, "with": self.resource} | conditions


@dataclass(frozen=True, slots=True)
class Token:
    """A token that was read or made; times are seconds since 1970, and None means for ever."""

    issuer: str
    audience: str
    capabilities: tuple[Capability, ...]
    proofs: tuple[CID, ...] = ()
    expires: int | None = None
    not_before: int | None = None
    nonce: str | None = None
    facts: tuple[Any, ...] = ()
    signature: bytes = b""

    def payload(self) -> bytes:
        """Return the text that the signature is over."""
        body: dict[str, Any] = {
            "iss": self.issuer,
            "aud": self.audience,
            "att": [one.body() for one in self.capabilities],
            "exp": self.expires,
            "prf": [str(proof) for proof in self.proofs],
        }
        header = {"alg": "EdDSA", "ucv": VERSION, "typ": "JWT"}
        return _part(header) + b"." + _part(body | self._optional())

    def block(self) -> Block:
        """Return the token as a dag-cbor block."""
        body: dict[str, Any] = {
            "v": VERSION,
            "iss": principal.to_bytes(self.issuer),
            "aud": principal.to_bytes(self.audience),
            "s": self.signature,
            "att": [one.body() for one in self.capabilities],
            "prf": list(self.proofs),
            "exp": self.expires,
        }
        data = dagcbor.encode(body | self._optional())
        return Block(CID.of(data, DAG_CBOR), data)

    def signed_by_issuer(self) -> bool | None:
        """Say whether the issuer signed this; None where the issuer is known by a name and not by a key."""
        return principal.signature_holds(self.issuer, self.payload(), self.signature)

    def _optional(self) -> dict[str, Any]:
        """Return what is left out where there is none."""
        return (
            ({"fct": list(self.facts)} if self.facts else {})
            | ({"nnc": self.nonce} if self.nonce else {})
            | ({"nbf": self.not_before} if self.not_before else {})
        )


def issue(
    signer: Signer,
    audience: str,
    capabilities: Sequence[Capability],
    *,
    expires: int | None,
    proofs: Sequence[CID] = (),
    nonce: str | None = None,
    facts: Sequence[Any] = (),
    not_before: int | None = None,
) -> Token:
    """Make and sign a token; raises Malformed for what dag-cbor or dag-json cannot hold."""
    rights, known, said = tuple(capabilities), tuple(proofs), tuple(facts)
    unsigned = Token(signer.did, audience, rights, known, expires, not_before, nonce, said)
    return Token(signer.did, audience, rights, known, expires, not_before, nonce, said, signer.sign(unsigned.payload()))


def decode(cid: CID, data: bytes) -> Token:
    """Read a token from its block, whose digest the caller has checked; its signature is not looked at.

    Raises Malformed, and Unsupported for a token in the form of a JWT or of another version.
    """
    if cid.codec != DAG_CBOR:
        raise Unsupported("a UCAN that is not in its dag-cbor form")
    body = dagcbor.decode(data)
    if not isinstance(body, dict) or not _NEEDED <= set(body) <= _NEEDED | _OPTIONAL:
        raise Malformed("this block is no UCAN")
    if body["v"] not in _VERSIONS:
        raise Unsupported(f"UCAN {str(body['v'])[:20]}; only {VERSION} can be read")
    token = Token(
        principal.from_bytes(_typed(body, "iss", bytes)),
        principal.from_bytes(_typed(body, "aud", bytes)),
        tuple(_capability(one) for one in _typed(body, "att", list)),
        tuple(_typed(body, "prf", list)),
        _moment(body["exp"]),
        _moment(body.get("nbf")) or None,  # What is empty is not signed either.
        None if body.get("nnc") is None else _typed(body, "nnc", str) or None,
        tuple(_typed(body, "fct", list)) if "fct" in body else (),
        _typed(body, "s", bytes),
    )
    if not all(isinstance(proof, CID) for proof in token.proofs):
        raise Malformed("a proof of the UCAN is no link")
    return token


def _typed(body: Mapping[str, Any], name: str, kind: type) -> Any:
    if not isinstance(body[name], kind):
        raise Malformed(f"the field {name} of the UCAN is not of the type {kind.__name__}")
    return body[name]


def _capability(body: Any) -> Capability:
    if not isinstance(body, dict) or not {"can", "with"} <= set(body) <= {"can", "with", "nb"}:
        raise Malformed("a capability of the UCAN is no map of can, with and nb")
    conditions = body.get("nb")
    if not isinstance(body["can"], str) or not isinstance(body["with"], str):
        raise Malformed("a capability of the UCAN does not say in words what it allows")
    if conditions is not None and not isinstance(conditions, dict):
        raise Malformed("the conditions of a capability are no map")
    return Capability(body["can"], body["with"], conditions)


def _moment(value: Any) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise Malformed("a time of the UCAN is no number of seconds")


def _part(value: dict[str, Any]) -> bytes:
    return base64.urlsafe_b64encode(dagjson.encode(value)).rstrip(b"=")
