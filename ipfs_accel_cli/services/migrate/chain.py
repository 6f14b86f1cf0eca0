"""Receipts in a chain: each is hashed with the one before it, so that none can be changed, dropped or put elsewhere."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping

FIRST = "0" * 64


def written(receipt: Mapping[str, object]) -> str:
    """Return the one text of a receipt that is hashed."""
    return json.dumps(receipt, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def linked(before: str, text: str) -> str:
    """Return the hash of a receipt after another's; `before` is FIRST for the first."""
    return hashlib.sha256(f"{before}\n{text}".encode()).hexdigest()


def broken_at(rows: Iterable[tuple[int, str, str]]) -> int | None:
    """Return the sequence number of the first receipt that is not what was written; None where all are."""
    before, expected = FIRST, 1
    for sequence, text, digest in rows:
        if sequence != expected or linked(before, text) != digest:
            return expected
        before, expected = digest, expected + 1
    return None
