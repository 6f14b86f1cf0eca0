"""Texts into sentences, and sentences into parts that a model can read at once; nothing of a text is lost."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

LONGEST_SENTENCE = 2000
# An end mark with what closes behind it, and white space; scripts that write no spaces have marks of their own.
_END = re.compile(r"[.!?…]+[\"'”’»)\]]*\s+|[。！？]+[」』”’]*\s*|\s*\n\s*\n\s*")
_SHORT = frozenset(
    (
        *("mr", "mrs", "ms", "dr", "prof", "sr", "jr", "st", "vs", "etc", "fig", "no", "vol", "pp", "ed", "eds", "e.g"),
        *("i.e", "cf", "al", "approx", "dept", "est", "inc", "ltd", "co", "corp", "z.b", "d.h"),
    )
)
_LAST_WORD = re.compile(r"([\w.]+?)\.\S*\s*$")


def sentences(text: str) -> list[tuple[int, int]]:
    """Return where the sentences of a text are, (start, end) in characters, without the white space between them.

    An abbreviation ends none, nor does a mark before a small letter. What has no end marks is cut at white space so
    that no part is longer than 2,000 characters.
    """
    found: list[tuple[int, int]] = []
    begin = 0
    for match in _END.finditer(text):
        if "\n" not in match[0] and not _ends(text, begin, match):
            continue
        found += _cut(text, begin, match.end())
        begin = match.end()
    return [*found, *_cut(text, begin, len(text))]


def pack(text: str, spans: Sequence[tuple[int, int]], budget: int, count: Callable[[str], int]) -> list[str]:
    """Return the text of the sentences at `spans` in parts of at most `budget` by `count`, as few as may be.

    A sentence that alone is longer is cut at white space.
    """
    parts: list[str] = []
    begin = end = -1
    held = 0
    for start, stop in (piece for span in spans for piece in _within(text, *span, budget, count)):
        size = count(text[start:stop])
        if begin >= 0 and held + size <= budget:
            end, held = stop, held + size
            continue
        if begin >= 0:
            parts.append(text[begin:end])
        begin, end, held = start, stop, size
    if begin >= 0:
        parts.append(text[begin:end])
    return parts


def _within(text: str, start: int, end: int, budget: int, count: Callable[[str], int]) -> list[tuple[int, int]]:
    if count(text[start:end]) <= budget or end - start < 2:
        return [(start, end)]
    middle = (start + end) // 2
    space = max(text.rfind(" ", start + 1, middle + 1), text.rfind("\n", start + 1, middle + 1))
    at = space if space > start else middle
    return [*_within(text, start, at, budget, count), *_within(text, at, end, budget, count)]


def _ends(text: str, begin: int, match: re.Match[str]) -> bool:
    following = text[match.end() : match.end() + 1]
    if following.islower():
        return False
    if not match[0].startswith(".") or match[0].startswith(".."):
        return True
    word = _LAST_WORD.search(text[max(begin, match.start() - 12) : match.end()])
    last = word[1].lower() if word else ""
    # A single letter is an initial; a number with a point may be one too, but more often it ends a sentence.
    return last not in _SHORT and not (len(last) == 1 and last.isalpha())


def _cut(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Return a sentence without white space around it, in parts where it is too long; nothing when it is empty."""
    parts = []
    while start < end:
        stop = end
        if end - start > LONGEST_SENTENCE:
            space = text.rfind(" ", start + 1, start + LONGEST_SENTENCE)
            stop = space if space > start else start + LONGEST_SENTENCE
        body = text[start:stop]
        kept = body.strip()
        if kept:
            first = start + len(body) - len(body.lstrip())
            parts.append((first, first + len(kept)))
        start = stop
    return parts
