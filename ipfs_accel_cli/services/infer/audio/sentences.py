"""A text into sentences that are spoken one after the other."""

from __future__ import annotations

import re
from collections.abc import Iterator

# Longer ones are cut between clauses, else between words: what is spoken at once is held in memory.
LONGEST = 300
_ENDS = re.compile(r"(?<=[.!?…])[\"'”’)]*\s+(?=[^\sa-z])|(?<=[。！？])|\n\s*\n")
_TITLES = re.compile(r"(?:^|\s)(?:Mr|Mrs|Ms|Dr|Prof|St|No|vs|e\.g|i\.e|[A-Z])\.$")


def sentences(text: str) -> Iterator[str]:
    """Yield sentences without their surrounding space; what holds no letter or digit is left out."""
    held = ""
    for part in _ENDS.split(text):
        held = f"{held} {part}".strip() if held else part.strip()
        if _TITLES.search(held):
            continue
        yield from _short(held)
        held = ""
    yield from _short(held)


def _short(sentence: str) -> Iterator[str]:
    rest = " ".join(sentence.split())
    while len(rest) > LONGEST:
        head = rest[:LONGEST]
        at = max(head.rfind(mark) + len(mark) for mark in (", ", "; ", ": ", "— "))
        at = at if at > LONGEST // 3 else head.rfind(" ") + 1 or LONGEST
        yield from _spoken(rest[:at].strip())
        rest = rest[at:].strip()
    yield from _spoken(rest)


def _spoken(text: str) -> Iterator[str]:
    if any(letter.isalnum() for letter in text):
        yield text
