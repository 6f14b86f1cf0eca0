"""The extractor contract: the bytes of a file become a document that can be searched, within limits."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import BinaryIO, Protocol

from ipfs_accel_cli.core.errors import LimitReached

Fact = str | int | float | bool | tuple[str, ...]

UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Document:
    """What can be searched of a file.

    `kind` is what it is ("text", "pdf", "safetensors"). `facts` are what to filter and count by; every document has
    `media_type` and `size_bytes`, and what could not be read has `unreadable`, which says why. Quantities carry their
    unit; `language` is what people speak, `programming_language` what programs are written in. `links` are where the
    file points to, as it spells them. `truncated` says that there is more than the limits let through.
    """

    kind: str
    title: str
    text: str = ""
    facts: Mapping[str, Fact] = field(default_factory=dict)
    links: tuple[str, ...] = ()
    truncated: bool = False

    def within(self, limits: Limits) -> Document:
        """Return what the limits let through of it."""
        facts = {key: fact[: limits.items] if isinstance(fact, tuple) else fact for key, fact in self.facts.items()}
        text, links = self.text[: limits.text_chars], self.links[: limits.items]
        more = len(text) < len(self.text) or len(links) < len(self.links) or facts != self.facts
        return replace(self, text=text, facts=facts, links=links, truncated=self.truncated or more)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one file may cost.

    `items` bounds every list (members, columns, links, tags); `memory_bytes` is enforced on files that are read in a
    process of their own.
    """

    read_bytes: int = 64 << 20
    text_chars: int = 2_000_000
    seconds: float = 20.0
    nesting: int = 64
    items: int = 10_000
    memory_bytes: int = 1 << 30


class Content(Protocol):
    """The bytes of a file, wherever they lie. `name` is how people call the file; its ending is a hint, no proof."""

    name: str
    size_bytes: int

    def head(self, count: int) -> bytes:
        """Return the first bytes, fewer only where the file is shorter."""
        ...

    def open(self) -> BinaryIO:
        """Open the file at its beginning, seekable; the caller closes it."""
        ...


class Extractor(Protocol):
    """Makes documents of one kind of file.

    `version` grows with every change of what comes out, so that kept documents are made anew. `extract` raises
    MalformedContent, UnsupportedContent or LimitReached for what it cannot read; what else it raises is a defect that
    costs this file only. What it gives beyond the limits is cut by who called it. It runs nothing of the file and never
    unpickles. The same bytes give the same document.
    """

    name: str
    version: int

    def extract(self, content: Content, limits: Limits) -> Document: ...


class Deadline:
    """The end of the time that a file may take, for loops to look at."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._until = time.monotonic() + limits.seconds

    def check(self) -> None:
        """Raise LimitReached when the time is over."""
        if time.monotonic() >= self._until:
            raise LimitReached(f"it takes longer than {self._limits.seconds:g} seconds to read")
