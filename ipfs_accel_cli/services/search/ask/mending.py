"""A question in plain words: what is drawn together written out, and words of the lexicon spelled right."""

from __future__ import annotations

import re

_CHOOSING = """
    models pictures images photos documents recordings embedding embeddings licence license yesterday larger smaller
    bigger archives notebooks datasets scripts transcription translation parameters spreadsheets between
"""
_WORDS = frozenset(_CHOOSING.split())
_LEAST_LETTERS = 6
# What is said shorter, and its long form; people leave the mark out, too.
_SHORT = (
    (r"\blet['’]s\b", "let us"),
    (r"\bcan['’]?t\b", "cannot"),
    (r"\b(do|does|did|is|are|was|were|has|have|had|would|could|should|won)n['’]?t\b", r"\1 not"),
    (r"['’]re\b", " are"),
    (r"['’]ve\b", " have"),
    (r"['’]d\b", " would"),
    (r"['’]ll\b", " will"),
    (r"\bi['’]?m\b", "i am"),
    (r"\bive\b", "i have"),
    (r"\b(?:gimme|gib me)\b", "give me"),
    (r"\b(?:pls|plz)\b", "please"),
    (r"\b(?:dupes?|dups?)\b", "duplicates"),
    (r"\b(?:pics?)\b", "pictures"),
    (r"\b(?:vids?)\b", "videos"),
    (r"\btl;?dr\b", "summary"),
    (r"\bthis (?:box|pc|mac|rig|server)\b", "this machine"),
    (r"\b(what|that|there|where|who|how)['’]?s\b", r"\1 is"),
    (r"\b(it|which|everything)['’]s\b", r"\1 is"),
)


def written_out(text: str) -> str:
    """Return a question with `what's` and the like written out; what is in quotation marks stays."""
    pieces = re.split(r'("[^"]*")', text)
    for short, long in _SHORT:
        pieces = [one if one.startswith('"') else re.sub(short, long, one, flags=re.IGNORECASE) for one in pieces]
    return "".join(pieces)


def mended(text: str) -> tuple[str, dict[str, str]]:
    """Return a question with such words put right, and which they were; what is in quotation marks stays."""
    changed: dict[str, str] = {}

    def put(match: re.Match[str]) -> str:
        found = _meant(match[0].lower())
        if found is None:
            return match[0]
        changed[match[0]] = found
        return found

    pieces = re.split(r'("[^"]*")', text)
    return "".join(one if one.startswith('"') else re.sub(r"\b[A-Za-z]+\b", put, one) for one in pieces), changed


def _meant(word: str) -> str | None:
    if len(word) < _LEAST_LETTERS or word in _WORDS:
        return None
    return next((right for right in sorted(_WORDS) if right[0] == word[0] and _slipped(word, right)), None)


def _slipped(word: str, right: str) -> bool:
    places = range(len(right))
    if len(word) == len(right):
        return any(word == right[:at] + right[at + 1 : at + 2] + right[at] + right[at + 2 :] for at in places)
    if len(word) == len(right) - 1:
        # A singular is no slip.
        return right != word + "s" and any(word == right[:at] + right[at + 1 :] for at in places)
    return any(word == right[: at + 1] + right[at:] for at in places)
