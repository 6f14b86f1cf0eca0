"""Delegations as they travel: chains of UCANs in an archive, and whether a chain grants a right.

The archive is a CAR whose root says `ucan@0.9.1`, or one without such a root, whose last block is the delegation.
"""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from . import car, dagcbor, didkey, ucan, varint
from .car import Block
from .cid import CID, DAG_CBOR
from .errors import ContentError, Malformed
from .ucan import Capability, Token

MAX_BYTES = 4 << 20
MAX_DEPTH = 32
ALL = "ucan:*"  # As a resource: whatever the issuer may do.

_CAR = 0x0202
_BASES = {"m": b"+/", "M": b"+/", "u": b"-_", "U": b"-_"}


@dataclass(frozen=True, slots=True)
class Delegation:
    """A delegation with those of its proofs that came with it."""

    cid: CID
    tokens: dict[CID, Token]
    blocks: tuple[Block, ...]

    @property
    def token(self) -> Token:
        """Return the last link of the chain, the one that names who may act."""
        return self.tokens[self.cid]

    def spaces(self) -> list[str]:
        """List the did:key resources that the delegation speaks of, those of its proofs where it says all."""
        found = dict.fromkeys(one.resource for token in self._chain() for one in token.capabilities)
        own = [one.resource for one in self.token.capabilities if one.resource != ALL]
        return [one for one in dict.fromkeys(own or found) if one.startswith(didkey.PREFIX)]

    def refusal(self, can: str, resource: str, now: float) -> str:
        """Say in words why the delegation does not grant a right, empty where it does.

        What rests on a proof that is not here, or on the signature of a name that is no key, is left to the service.
        """
        return _Judge(self.tokens, can, resource, now).refusal(self.cid)

    def lifetime(self) -> tuple[int, int | None]:
        """Return from when until when all links of the chain hold, in seconds since 1970."""
        chain = list(self._chain())
        ends = [token.expires for token in chain if token.expires is not None]
        return max(token.not_before or 0 for token in chain), min(ends, default=None)

    def archive(self) -> bytes:
        """Write the delegation as a CAR that says so in its root."""
        root = dagcbor.encode({f"ucan@{ucan.VERSION}": self.cid})
        cid, stream = CID.of(root, DAG_CBOR), io.BytesIO()
        car.write(stream, [cid], [Block(cid, root), *self.blocks])
        return stream.getvalue()

    def _chain(self) -> Iterator[Token]:
        todo, seen = [self.cid], {self.cid}
        for cid in todo:
            token = self.tokens.get(cid)
            if token is not None:
                yield token
                todo.extend(proof for proof in token.proofs if proof not in seen)
                seen.update(token.proofs)


@dataclass(slots=True)
class _Judge:
    """Looks at one right along a chain; `known` holds what was said of a token already."""

    tokens: Mapping[CID, Token]
    can: str
    resource: str
    now: float
    known: dict[CID, str] = field(default_factory=dict)

    def refusal(self, cid: CID, depth: int = 0) -> str:
        if depth > MAX_DEPTH:
            return f"the chain of proofs is longer than {MAX_DEPTH}"
        if cid not in self.known:
            token = self.tokens.get(cid)
            self.known[cid] = "" if token is None else self._by_itself(token) or self._by_proofs(token, depth)
        return self.known[cid]

    def _by_itself(self, token: Token) -> str:
        if token.expires is not None and token.expires <= self.now:
            return f"it expired at {moment(token.expires)}"
        if token.not_before is not None and token.not_before > self.now:
            return f"it holds only from {moment(token.not_before)} on, and this machine's clock says {moment(self.now)}"
        try:
            if token.signed_by_issuer() is False:
                return f"{token.issuer} did not sign it"
        except ContentError as error:
            return f"its signature cannot be read: {error}"
        if not any(covers(one, self.can, self.resource) for one in token.capabilities):
            return f"it does not grant {self.can} at {self.resource}"
        return ""

    def _by_proofs(self, token: Token, depth: int) -> str:
        """Say why none of the proofs grants its issuer the right, who needs none for what is its own."""
        if token.issuer == self.resource:
            return ""
        reason = f"{token.issuer} grants what it was not granted itself"
        for proof in token.proofs:
            known = self.tokens.get(proof)
            if known is not None and known.audience != token.issuer:
                continue
            reason = self.refusal(proof, depth + 1)
            if not reason:
                return ""
        return reason


def covers(capability: Capability, can: str, resource: str) -> bool:
    """Say whether a capability includes a right; its conditions are left to who acts on it."""
    granted = capability.can
    within = granted in ("*", can) or (granted.endswith("/*") and can.startswith(granted[:-1]))
    return within and capability.resource in (resource, ALL)


def moment(seconds: float) -> str:
    """Return a time as people read it."""
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (OverflowError, ValueError, OSError):
        return f"second {seconds:.0f}"


def parse(data: bytes) -> Delegation:
    """Read a delegation from an archive, or from its text in base64, as the JavaScript tools write either.

    Raises Malformed, Mismatch for a block that was changed, and OverLimit for more than MAX_BYTES.
    """
    if len(data) > 2 * MAX_BYTES:
        raise Malformed(f"{len(data)} bytes are more than a delegation has")
    text = bytes(data).strip()
    archive = data if b"eroots" in text[:40] else _from_text(text)
    reader = car.open_reader(io.BytesIO(archive))
    blocks = list(dict.fromkeys(reader.blocks))
    if not blocks:
        raise Malformed("the archive holds no delegation")
    root = _named_by(reader.roots, blocks) or blocks[-1].cid
    tokens = {block.cid: token for block in blocks if (token := _token(block)) is not None}
    if root not in tokens:
        raise Malformed("the archive holds no UCAN delegation")
    return Delegation(root, tokens, tuple(block for block in blocks if block.cid in tokens))


def _named_by(roots: tuple[CID, ...], blocks: list[Block]) -> CID | None:
    named = [block for block in blocks if block.cid in roots[:1] and block.cid.codec == DAG_CBOR]
    body = dagcbor.decode(named[0].data) if named else None
    link = body.get(f"ucan@{ucan.VERSION}") if isinstance(body, dict) else None
    return link if isinstance(link, CID) else None


def _token(block: Block) -> Token | None:
    """Read a token; None for a block of another kind, as facts may have some."""
    try:
        return ucan.decode(block.cid, block.data)
    except ContentError:
        return None


def _from_text(text: bytes) -> bytes:
    """Take the archive out of base64, bare or as a CID that holds it itself."""
    characters = b"".join(text.split())
    prefix = chr(characters[0]) if characters else ""
    bases = [(characters[1:], _BASES[prefix])] if prefix in _BASES else []
    for body, alphabet in [*bases, (characters, b"+/")]:
        plain = body.rstrip(b"=")
        try:
            data = base64.b64decode(plain + b"=" * (-len(plain) % 4), altchars=alphabet, validate=True)
        except (binascii.Error, ValueError):
            continue
        if b"eroots" in data[:60]:
            return _inside(data)
    raise Malformed("this is neither a CAR nor the base64 text of a delegation")


def _inside(data: bytes) -> bytes:
    """Return what an identity CID of the codec CAR holds, or the data itself where it is a CAR."""
    if data[:1] != b"\x01":
        return data
    codec, position = varint.decode(data, 1)
    hash_code, position = varint.decode(data, position)
    length, position = varint.decode(data, position)
    if codec != _CAR or hash_code != 0 or len(data) != position + length:
        raise Malformed("the text is a CID that does not hold a delegation")
    return data[position:]
