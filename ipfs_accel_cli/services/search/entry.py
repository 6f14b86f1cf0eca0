"""What is written to the index: a document with its address, and the facts by which it is filtered and counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ipfs_accel_cli.extractors.base import Document, Fact
from ipfs_accel_cli.services.search.chunking import Chunk, chunks
from ipfs_accel_cli.services.search.readings import Reading, as_facts, as_text
from ipfs_accel_cli.services.search.schema import MOST_CHUNKS
from ipfs_accel_cli.services.search.words import beside, of_name

TAG = "tag"
_LONGEST_FACT = 500
_MOST_VALUES = 200
_MOST_SAID = 4000

_NO_FACTS: Mapping[str, Fact] = {}

FactRow = tuple[str, str, str, float | None]  # Name, key, value, number.


@dataclass(frozen=True, slots=True)
class Entry:
    """A document under its CID. `extractor` is name/version of what made it, `problem` why there is no more of it.

    `read` is what models read in it: found as the text is, and kept apart from it.
    """

    cid: str
    document: Document
    size_bytes: int
    added_at: str
    extractor: str = ""
    problem: str | None = None
    tags: tuple[str, ...] = ()
    said: Mapping[str, Fact] = field(default_factory=dict)
    read: tuple[Reading, ...] = ()

    def rows(self, names: Iterable[str], facts: Iterable[FactRow]) -> list[tuple[str, str, str]]:
        """Return (title, body, more) of every chunk; what is said beside the text goes with the first one.

        `names` are the paths it is kept under, `facts` its own. Facts that are words are found without a filter.
        """
        parts = chunks(as_text(self.document.text, self.read))[:MOST_CHUNKS] or [Chunk("", 0, "")]
        title = self.document.title
        said = " ".join([fact[2] for fact in facts if fact[3] is None])[:_MOST_SAID]
        spoken = " ".join(filter(None, (of_name(title), said)))
        found = []
        for place, part in enumerate(parts):
            heading = f"{title} · {part.heading}" if part.heading and place else title
            more = beside(part.text)
            found.append((heading, part.text, more if place else f"{named(names, title)}\n{spoken} {more}"))
        return found

    def facts(self) -> Iterator[FactRow]:
        """Yield (name, key, value, number) of everything that is known of it."""
        for facts in (
            self.document.facts,
            as_facts(self.read),
            self.said,
            {TAG: self.tags} if self.tags else _NO_FACTS,
        ):
            for name, value in facts.items():
                if name != "size_bytes":
                    yield from fact_rows(name, value)


def fact_rows(name: str, value: Fact) -> Sequence[FactRow]:
    """Return a fact as it is kept: several values each for itself, whatever has a size as a number, too."""
    if isinstance(value, tuple):
        once = dict.fromkeys(text.lower()[:_LONGEST_FACT] for text in value if text)
        told = {text.lower()[:_LONGEST_FACT]: text[:_LONGEST_FACT] for text in reversed(value)}
        return [(name, key, told[key], None) for key in list(once)[:_MOST_VALUES]]
    if isinstance(value, bool):
        return ((name, str(value).lower(), str(value).lower(), None),)
    if isinstance(value, (int, float)):
        shown = str(value)
        return ((name, shown, shown, float(value)),)
    return ((name, value.lower()[:_LONGEST_FACT], value[:_LONGEST_FACT], None),) if value else ()


def moment(at: datetime | str | None = None) -> str:
    """Return a time as the index compares it: in UTC, to the microsecond."""
    if isinstance(at, str):
        at = datetime.fromisoformat(at)
    found = (at or datetime.now(UTC)).astimezone(UTC)
    return found.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def named(paths: Iterable[str], title: str) -> str:
    """Return the words of the paths under which a document is kept: the first line of what goes with its text."""
    return " ".join(f"{path} {of_name(path)}".strip().replace("\n", " ") for path in paths if path != title)
