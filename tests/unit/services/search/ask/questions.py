"""The labelled questions: what each should be read as, and which third of them the rules were not made by."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from ipfs_accel_cli.core.fields import Field, Kind
from ipfs_accel_cli.services.search import filtering
from ipfs_accel_cli.services.search.ask.commands import propose
from ipfs_accel_cli.services.search.ask.reading import read

TODAY = date(2026, 11, 27)  # A Friday.
_TEXTS = (
    "tag", "task", "architecture", "licence", "media_type", "language", "programming_language", "columns",
    "base_model", "dtype", "author", "path",
)  # fmt: skip
_NUMBERS = ("pages", "rows", "records", "duration_s", "width", "height", "parameters", "context_tokens")
KNOWN: Mapping[str, Field] = {
    **{name: Field(name, Kind.TEXT, many=True) for name in _TEXTS},
    **{name: Field(name, Kind.NUMBER, many=True) for name in _NUMBERS},
    "kind": Field("kind", Kind.TEXT),
    "problem": Field("problem", Kind.TEXT),
    "name": Field("title", Kind.TEXT),
    "size": Field("size_bytes", Kind.SIZE),
    "added": Field("added_at", Kind.TIME),
}


@dataclass(frozen=True, slots=True)
class Labelled:
    """A question, and what it should be read as; `filter` as people write it, its parts in any order."""

    text: str
    filter: str = ""
    words: str = ""
    order: str = ""
    most: str = ""
    command: str = ""
    held_out: bool = False  # No rule may be made for it.

    def is_exact(self) -> bool:
        """Say whether everything about it is read as it should be."""
        line = propose(self.text)
        if line is not None or self.command:
            return line == self.command
        found = read(self.text, TODAY, KNOWN)
        return (
            parts(found.filter) == parts(self.filter)
            and found.words.lower() == self.words.lower()
            and found.order == self.order
            and str(found.most or "") == self.most
        )


def parts(text: str) -> set[str]:
    """Return what a filter wants, each part as the grammar spells it."""
    if not text:
        return set()
    node = filtering.parse(text, KNOWN)
    return {str(part) for part in node.parts} if getattr(node, "word", "") == "AND" else {str(node)}


def labelled() -> list[Labelled]:
    """Return those that count: of the first ones the hash chose what is held out, of the unseen ones all are."""
    first = [replace(one, held_out=_chosen(one.text)) for one in _of("questions.tsv")]
    return [*first, *unseen()]


def seen() -> list[Labelled]:
    """Return those that others asked, and for which rules were made; they count for no figure."""
    return _of("seen.tsv")


def unseen() -> list[Labelled]:
    """Return those that were written after every rule."""
    return [replace(one, held_out=True) for one in _of("unseen.tsv")]


def _of(name: str) -> list[Labelled]:
    lines = Path(__file__).with_name(name).read_text(encoding="utf-8").splitlines()
    return [Labelled(*line.split("\t")) for line in lines if line and not line.startswith("#")]


def _chosen(text: str) -> bool:
    return int(hashlib.sha256(text.encode()).hexdigest(), 16) % 3 == 0
