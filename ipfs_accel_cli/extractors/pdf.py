"""PDF: the text of its pages, outline and document information."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ipfs_accel_cli.core.errors import MalformedContent, UnsupportedContent
from ipfs_accel_cli.extractors import words
from ipfs_accel_cli.extractors.base import Content, Deadline, Document, Fact, Limits

_INFORMATION = {"/Author": "author", "/Subject": "subject", "/Keywords": "keywords", "/Creator": "creator"}
_DATES = {"/CreationDate": "created", "/ModDate": "modified"}


class PdfExtractor:
    """A PDF; pages that are pictures only have no text, and `pages_without_text` counts them."""

    name = "pdf"
    version = 1

    def extract(self, content: Content, limits: Limits) -> Document:
        """Make a document of a PDF; raises MalformedContent, UnsupportedContent for a locked one, and LimitReached."""
        import pypdf
        from pypdf.errors import PyPdfError

        with content.open() as file:
            try:
                reader = pypdf.PdfReader(file)
                if reader.is_encrypted and not reader.decrypt(""):
                    raise UnsupportedContent(f"{content.name} is locked with a password")
                return _document(reader, content, limits)
            except PyPdfError as error:
                raise MalformedContent(f"{content.name} is no sound PDF: {words.line(error)}") from error


def _document(reader: Any, content: Content, limits: Limits) -> Document:
    facts: dict[str, Fact] = {"media_type": "application/pdf", "size_bytes": content.size_bytes}
    count = len(reader.pages)
    facts |= _information(reader)
    facts["pages"] = count
    parts, left, bare, broken, read = list[str](), limits.text_chars, 0, 0, 0
    deadline = Deadline(limits)
    for page in reader.pages:
        deadline.check()
        if left <= 0 or read >= limits.items:
            break
        read += 1
        try:
            text = words.clean(page.extract_text()).strip()
        except (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError):
            broken += 1  # Other pages of the same file are often sound.
            continue
        bare += not text
        parts.append(text[:left])
        left -= len(text) + 1
    if headings := tuple(_headings(reader.outline, limits)):
        facts["headings"] = headings
    for key, number in (("pages_without_text", bare), ("broken_pages", broken)):
        if number:
            facts[key] = number
    title = str(facts.pop("title", "")) or content.name
    text = "\n\n".join(part for part in parts if part)
    return Document("pdf", title, text, facts, truncated=left <= 0 or read < count)


def _information(reader: Any) -> dict[str, Fact]:
    known = reader.metadata or {}
    found: dict[str, Fact] = {}
    for key, name in {**_INFORMATION, "/Title": "title"}.items():
        if said := words.line(known.get(key) or "", 400):
            found[name] = said
    for key, name in _DATES.items():
        # D:20240131120000+01'00' becomes 2024-01-31.
        said = words.line(known.get(key) or "").removeprefix("D:")[:8]
        if len(said) == 8 and said.isdecimal():
            found[name] = f"{said[:4]}-{said[4:6]}-{said[6:]}"
    return found


def _headings(outline: Any, limits: Limits, depth: int = 0) -> Iterator[str]:
    if depth > limits.nesting:
        return
    for one in outline[: limits.items]:
        if isinstance(one, list):
            yield from _headings(one, limits, depth + 1)
        elif said := words.line(getattr(one, "title", "") or ""):
            yield said
