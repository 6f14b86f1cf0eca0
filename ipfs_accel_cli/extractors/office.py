"""Slides and tables of Office Open XML, and all of OpenDocument: packed XML, read as it streams."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from xml.etree import ElementTree
from zipfile import BadZipFile, ZipFile

from ipfs_accel_cli.core.errors import LimitReached, MalformedContent
from ipfs_accel_cli.extractors import words
from ipfs_accel_cli.extractors.base import Content, Deadline, Document, Fact, Limits

_OPEN = "application/vnd.openxmlformats-officedocument"
_ODF = "application/vnd.oasis.opendocument"
# A member that only this kind has, to its media type.
_KINDS = {
    "ppt/presentation.xml": f"{_OPEN}.presentationml.presentation",
    "xl/workbook.xml": f"{_OPEN}.spreadsheetml.sheet",
    "content.xml": _ODF,
}
_PARTS = re.compile(
    r"ppt/slides/slide\d+\.xml|xl/workbook\.xml|xl/sharedStrings\.xml|xl/worksheets/sheet\d+\.xml|content\.xml"
)
_ABOUT = ("docProps/core.xml", "meta.xml")
_FACTS = {
    **{"title": "title", "creator": "author", "initial-creator": "author", "subject": "subject"},
    **{"keywords": "keywords", "keyword": "keywords", "description": "description", "created": "created"},
    **{"creation-date": "created", "modified": "modified", "language": "language"},
}
# What holds text, in the first two kinds `t` alone; what ends a line of it.
_TEXTS, _LINES = frozenset({"t", "p", "h"}), frozenset({"p", "h", "si", "is", "table-row"})
_STEP = 1 << 16


class OfficeExtractor:
    """A file of slides, tables or text; formulas, pictures and macros are neither read nor run."""

    name = "office"
    version = 1

    def extract(self, content: Content, limits: Limits) -> Document:
        """Make a document; raises MalformedContent and LimitReached."""
        with content.open() as file:
            try:
                with ZipFile(file) as archive:
                    return _document(archive, content, limits)
            except (BadZipFile, zlib.error, ElementTree.ParseError, EOFError, KeyError, ValueError, OSError) as error:
                raise MalformedContent(f"{content.name} is no sound document: {words.line(error)}") from error
            except NotImplementedError as error:
                raise MalformedContent(f"{content.name} is packed in a way that is not read") from error


def _document(archive: ZipFile, content: Content, limits: Limits) -> Document:
    names = archive.namelist()
    size_bytes = sum(info.file_size for info in archive.infolist())
    if size_bytes > limits.read_bytes:
        raise LimitReached(f"{content.name} expands to {size_bytes} bytes, more than {limits.read_bytes}")
    found = next((media for member, media in _KINDS.items() if member in names), "")
    if not found:
        raise MalformedContent(f"{content.name} has neither slides nor tables nor text")
    if found == _ODF and "mimetype" in names:
        found = words.line(archive.read("mimetype").decode("ascii", "replace"), 100)
    about, deadline = _Strings(limits.text_chars), Deadline(limits)
    for name in (name for name in _ABOUT if name in names):
        _feed(archive, name, about, deadline)
    facts: dict[str, Fact] = {"media_type": found, "size_bytes": content.size_bytes}
    facts |= {fact: about.named[name] for name, fact in _FACTS.items() if about.named.get(name)}
    facts |= {name: str(facts[name])[:10] for name in ("created", "modified") if name in facts}  # Days, as elsewhere.
    text = _Strings(limits.text_chars, _TEXTS if found.startswith(_ODF) else frozenset({"t"}))
    parts = sorted((name for name in names if _PARTS.fullmatch(name)), key=_numbered)
    for name in parts:
        _feed(archive, name, text, deadline)
    if text.sheets:
        facts["sheets"] = tuple(text.sheets[: limits.items])
    if slides := sum(name.startswith("ppt/slides/") for name in parts):
        facts["slides"] = slides
    title = str(facts.pop("title", "")) or content.name
    lines = (" ".join(line.split()) for line in "".join(text.parts).split("\n"))
    said = words.clean("\n".join(line for line in lines if line))
    return Document("office", title, said, facts, truncated=text.full or deadline.over)


def _feed(archive: ZipFile, name: str, into: _Strings, deadline: Deadline) -> None:
    parser = ElementTree.XMLParser(target=into)  # noqa: S314 - in a child with bounds; it follows no outer entity and makes no tree
    with archive.open(name) as part:
        while not into.full and not deadline.over and (chunk := part.read(_STEP)):
            parser.feed(chunk)


def _numbered(name: str) -> tuple[str, int]:
    digits = re.search(r"(\d+)\.xml$", name)
    return (name.rstrip("0123456789.xml"), int(digits[1]) if digits else 0)


class _Strings:
    """Collects what is written within some elements, and the first value of those that describe the document."""

    def __init__(self, chars: int, wanted: Sequence[str] | frozenset[str] = ()) -> None:
        self._left, self._wanted, self._inside, self._at = chars, frozenset(wanted), 0, ""
        self.parts: list[str] = []
        self.sheets: list[str] = []
        self.named: dict[str, str] = {}

    @property
    def full(self) -> bool:
        """Whether no more is taken."""
        return self._left <= 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Begin an element."""
        self._at = _local(tag)
        self._inside += self._at in self._wanted
        if self._at in ("table", "sheet"):
            self.sheets += [words.line(value) for key, value in attributes.items() if _local(key) == "name"]

    def data(self, text: str) -> None:
        """Take in characters."""
        if self._inside and not self.full:
            self.parts.append(text)
            self._left -= len(text)
        elif not self._wanted and self._at in _FACTS and text.strip():
            self.named.setdefault(self._at, words.line(text, 400))

    def end(self, tag: str) -> None:
        """End an element."""
        local = _local(tag)
        self._inside -= local in self._wanted
        self._at = ""
        if local in _LINES:
            self.parts.append("\n")

    def close(self) -> None:
        """Have nothing to give at the end."""


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
