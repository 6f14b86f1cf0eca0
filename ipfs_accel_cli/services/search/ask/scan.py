"""A question while it is being read: what was understood is taken out of it, piece by piece."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ipfs_accel_cli.services.search.ask.lexicon import ASKING, OPPOSITE

_NEGATION = re.compile(
    r"(?:\b(?:(?:but )?not|without|except|excluding"
    r"|(?:all|everything|anything|nothing|licen[cs]es?|kinds?) but|other than|no)\s+"
    r"(?:(?:for|the|an?|any|under|in|those|these|ones|that are|which are)\s+)*|\bnon[- ])+$"
)
_WITHOUT = frozenset({"not", "without", "except", "excluding"})
_TAKEN = "\x00"
_QUOTED = re.compile(r'"[^"]*"')
_WORD = re.compile(r'"[^"]*"|[^\s"\x00]+')
_EDGES = ".,;:!?()[]{}'`"


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a question and the condition that it became; those of one `group` are alternatives."""

    start: int
    said: str
    condition: str
    group: str = ""


@dataclass(slots=True)
class Scan:
    """A question; `low` is what is left of it in small letters, with what was taken blanked out."""

    text: str
    low: str = field(init=False)
    pieces: list[Piece] = field(default_factory=list)
    order: str = ""
    most: int | None = None
    ordered_by: str = ""

    def __post_init__(self) -> None:
        # Letters whose small form is longer would move what follows.
        self.low = "".join(one.lower() if len(one.lower()) == 1 else one for one in self.text)

    def find(self, pattern: str) -> Iterator[re.Match[str]]:
        """Yield where a pattern stands as words of its own, outside of quotation marks."""
        for match in re.finditer(rf"(?<![\w\x00])(?:{pattern})(?!\w)", self.low):
            if not any(one.start() < match.start() < one.end() for one in _QUOTED.finditer(self.low)):
                yield match

    def original(self, match: re.Match[str], group: int | str = 0) -> str:
        """Return what was matched as it was written."""
        return self.text[match.start(group) : match.end(group)]

    def take(self, match: re.Match[str], field_name: str, operator: str, value: str, group: str = "") -> None:
        """Make a condition of a match, the opposite one after a negation, and take both out."""
        start, denied = self._denied(match.start())
        if denied:
            operator = OPPOSITE[operator]
        told = " ".join(self.text[start : match.end()].split())
        self.pieces.append(Piece(start, told, f"{field_name}{operator}{quoted(value)}", "" if denied else group))
        self.blank(start, match.end())

    def condition(self, match: re.Match[str], condition: str, group: str = "") -> None:
        """Make a whole condition of a match and take it out."""
        start, denied = self._denied(match.start())
        told = " ".join(self.text[start : match.end()].split())
        self.pieces.append(Piece(start, told, f"NOT ({condition})" if denied else condition, group))
        self.blank(start, match.end())

    def blank(self, start: int, end: int) -> None:
        """Take a stretch out."""
        self.low = self.low[:start] + _TAKEN * (end - start) + self.low[end:]

    def has(self, group: str) -> bool:
        """Say whether something of a group was found."""
        return any(piece.group == group for piece in self.pieces)

    def left(self) -> list[str]:
        """Return the words that were not taken and belong to the matter, as they were written."""
        found = []
        for match in _WORD.finditer(self.low):
            word = self.text[match.start() : match.end()]
            if word.startswith('"'):
                if any(one.isalnum() for one in word):
                    found.append(word)
                continue
            word = word.strip(_EDGES)
            if (any(one.isalnum() for one in word) and word.lower() not in ASKING) or word.lower() in _WITHOUT:
                found.append(word)
        return _negated(found)

    def filter(self) -> str:
        """Return the conditions in the order of the question; alternatives are joined by OR."""
        ordered = sorted(self.pieces, key=lambda one: one.start)
        parts: dict[str, list[str]] = {}
        for place, piece in enumerate(ordered):
            same = parts.setdefault(piece.group or f"{place}", [])
            if piece.condition not in same:
                same.append(piece.condition)
        joined = (same[0] if len(same) == 1 else f"({' OR '.join(same)})" for same in parts.values())
        return " AND ".join(dict.fromkeys(joined))

    def _denied(self, start: int) -> tuple[int, bool]:
        found = _NEGATION.search(self.low[:start])
        return (found.start(), True) if found else (start, False)


def _negated(words: list[str]) -> list[str]:
    """Return words as a query has them: `not helm` is `-helm`; what denies nothing is left out."""
    found: list[str] = []
    denied = False
    for word in words:
        if word.lower() in _WITHOUT:
            denied = True
            continue
        found.append(f"-{word}" if denied and found else word)
        denied = False
    return found


def quoted(value: str) -> str:
    """Return a value as a filter has it."""
    if value and re.fullmatch(r"[\w.:+/@*-]+", value) and value.upper() not in ("AND", "OR", "NOT"):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
