"""Cursors: what was shown already, so that the next page has the best of what was not, whatever changed meanwhile."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from ipfs_accel_cli.core.errors import Invalid, LimitReached

MOST_SHOWN = 5000
_MOST_BYTES = 64 << 10
_KEY_BYTES = 6


@dataclass(frozen=True, slots=True)
class Cursor:
    """The documents that one query has shown, by what is left of their CIDs' hashes; 48 bits tell them apart."""

    query: str
    shown: frozenset[bytes] = frozenset()

    def has(self, cid: str) -> bool:
        """Say whether a document was shown."""
        return _key(cid) in self.shown

    def after(self, cids: Sequence[str]) -> Cursor:
        """Return the cursor once these were shown, too; raises LimitReached where it would be too long."""
        shown = self.shown | {_key(cid) for cid in cids}
        if len(shown) > MOST_SHOWN:
            raise LimitReached(f"{MOST_SHOWN} documents were shown; ask for something narrower")
        return Cursor(self.query, shown)

    def written(self) -> str:
        """Return it as text."""
        body = bytes.fromhex(self.query) + b"".join(sorted(self.shown))
        return base64.urlsafe_b64encode(zlib.compress(body, 1)).decode().rstrip("=")


def of_query(*parts: object) -> str:
    """Return what tells one query from another."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def read(text: str | None, query: str) -> Cursor:
    """Read a cursor of this query; raises Invalid for what is none, or that of another query."""
    if text is None:
        return Cursor(query)
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        body = zlib.decompressobj().decompress(packed, _MOST_BYTES)
    except (ValueError, binascii.Error, zlib.error) as error:
        raise Invalid("--cursor is not one that a query gave") from error
    keys = body[8:]
    if len(body) < 8 or len(keys) % _KEY_BYTES:
        raise Invalid("--cursor is not one that a query gave")
    if body[:8].hex() != query:
        raise Invalid("--cursor belongs to another query; ask it with the same words, filter and order")
    return Cursor(query, frozenset(keys[at : at + _KEY_BYTES] for at in range(0, len(keys), _KEY_BYTES)))


def _key(cid: str) -> bytes:
    return hashlib.blake2b(cid.encode(), digest_size=_KEY_BYTES).digest()
