"""How alike two texts are: normalised, token by token, or by the edits between them. Pure."""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def plain(text: str) -> str:
    """Return a text in Unicode normal form C without the white space around it."""
    return unicodedata.normalize("NFC", text).strip()


def normalised(text: str) -> str:
    """Return a text as SQuAD's script compares it: lower case, no punctuation, no articles, single spaces."""
    return " ".join(_ARTICLES.sub(" ", plain(text).lower().translate(_PUNCTUATION)).split())


def token_f1(answer: str, accepted: str) -> float:
    """Return the F1 of the words that two texts share, as SQuAD has it (Rajpurkar et al., 2016, section 6.1).

    Two texts without any words are equal (1); one with and one without share nothing (0).
    """
    ours, theirs = normalised(answer).split(), normalised(accepted).split()
    if not ours or not theirs:
        return float(ours == theirs)
    shared = sum((Counter(ours) & Counter(theirs)).values())
    return 2 * shared / (len(ours) + len(theirs))


def word_errors(answer: str, accepted: str) -> tuple[int, int]:
    """Return (edits, words of the accepted text): substituted, deleted and inserted words, case and all."""
    wanted = plain(accepted).split()
    return edits(plain(answer).split(), wanted), len(wanted)


def character_errors(answer: str, accepted: str) -> tuple[int, int]:
    """Return (edits, characters of the accepted text)."""
    wanted = plain(accepted)
    return edits(plain(answer), wanted), len(wanted)


def edits(one: Sequence[T], other: Sequence[T]) -> int:
    """Return the Levenshtein distance: the least number of substitutions, deletions and insertions."""
    previous = list(range(len(other) + 1))
    for row, item in enumerate(one, 1):
        current = [row]
        for column, wanted in enumerate(other, 1):
            current.append(min(previous[column] + 1, current[-1] + 1, previous[column - 1] + (item != wanted)))
        previous = current
    return previous[-1]
