"""Tables of text: comma, semicolon, tab or bar between the cells."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterable, Iterator

from ipfs_accel_cli.core.errors import MalformedContent
from ipfs_accel_cli.extractors import words
from ipfs_accel_cli.extractors.base import Content, Deadline, Document, Fact, Limits

_DELIMITERS = ",\t;|"
_LOOK_ROWS = 200
_STEP = 4096


class CsvExtractor:
    """A table, of which the first row names the columns unless it holds numbers."""

    name = "csv"
    version = 1

    def extract(self, content: Content, limits: Limits) -> Document:
        """Make a document of a table; raises UnsupportedContent, MalformedContent and LimitReached."""
        found = words.read(content, limits)
        delimiter = _delimiter(found.text, content.name)
        rows = _rows(found.text, delimiter, content.name, Deadline(limits))
        first = list(itertools.islice(rows, _LOOK_ROWS))
        named = bool(first) and all(_kind(cell) == "text" or not cell for cell in first[0]) and any(first[0])
        columns = tuple(words.line(cell) for cell in first[0])[: limits.items] if named else ()
        kinds = _kinds(first[1:] if named else first, limits.items)
        count = len(first) + sum(1 for _ in rows) - named
        facts: dict[str, Fact] = {
            "media_type": "text/tab-separated-values" if delimiter == "\t" else "text/csv",
            "size_bytes": content.size_bytes,
            "columns": columns or tuple(f"{number}" for number in range(1, len(kinds) + 1)),
            "column_types": kinds,
            "rows": count,
        }
        return Document("csv", content.name, found.text, facts, truncated=found.truncated)


def _rows(text: str, delimiter: str, name: str, deadline: Deadline) -> Iterator[list[str]]:
    try:
        for number, row in enumerate(csv.reader(io.StringIO(text), delimiter=delimiter)):
            if number % _STEP == 0:
                deadline.check()
            if row:
                yield row
    except csv.Error as error:
        raise MalformedContent(f"{name} is no table: {error}") from error


def _delimiter(text: str, name: str) -> str:
    """Return what divides the most cells of the first lines, as evenly as can be."""
    if name.lower().endswith(".tsv"):
        return "\t"
    lines = text[: 1 << 16].split("\n")[:20]
    lines = [line for line in lines if line] or [""]

    def evenness(delimiter: str) -> tuple[bool, int]:
        counts = [line.count(delimiter) for line in lines[:-1] or lines]
        return min(counts) == max(counts) > 0, min(counts)

    return max(_DELIMITERS, key=evenness)


def _kinds(rows: Iterable[list[str]], items: int) -> tuple[str, ...]:
    """Return the narrowest type that holds each column."""
    found: list[set[str]] = []
    for row in rows:
        for number, cell in enumerate(row[:items]):
            if number == len(found):
                found.append(set())
            if cell.strip():
                found[number].add(_kind(cell))
    return tuple(_widest(kinds) for kinds in found)


def _widest(kinds: set[str]) -> str:
    return next((kind for kind in ("text", "number", "integer") if kind in kinds), "empty")


def _kind(cell: str) -> str:
    short = cell.strip()
    if short.lstrip("+-").isdecimal():
        return "integer"
    try:
        float(short[:64])
    except ValueError:
        return "text"
    return "number"
