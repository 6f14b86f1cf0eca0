"""DOCX: paragraphs and tables in their order, headings, links and document properties."""

from __future__ import annotations

from typing import Any, BinaryIO
from zipfile import BadZipFile, ZipFile

from ipfs_accel_cli.core.errors import LimitReached, MalformedContent
from ipfs_accel_cli.extractors import words
from ipfs_accel_cli.extractors.base import Content, Deadline, Document, Fact, Limits

_PROPERTIES = {
    **{"author": "author", "subject": "subject", "keywords": "keywords", "category": "category"},
    **{"language": "language", "comments": "description"},
}
_HYPERLINK = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/hyperlink"


class DocxExtractor:
    """A document of Word or another word processor; macros are neither read nor run."""

    name = "docx"
    version = 1

    def extract(self, content: Content, limits: Limits) -> Document:
        """Make a document of a DOCX; raises MalformedContent and LimitReached."""
        import docx
        from docx.opc.exceptions import OpcError
        from lxml.etree import LxmlError

        with content.open() as file:
            try:
                _check_size(file, content, limits)
                return _document(docx.Document(file), content, limits)
            except (BadZipFile, OpcError, LxmlError, KeyError, ValueError, NotImplementedError, EOFError) as error:
                raise MalformedContent(f"{content.name} is no sound DOCX: {words.line(error)}") from error


def _check_size(file: BinaryIO, content: Content, limits: Limits) -> None:
    """Refuse what expands beyond the bytes that may be read, before any of it is expanded."""
    with ZipFile(file) as archive:
        size_bytes = sum(info.file_size for info in archive.infolist())
    if size_bytes > limits.read_bytes:
        raise LimitReached(f"{content.name} expands to {size_bytes} bytes, more than {limits.read_bytes}")
    file.seek(0)


def _document(found: Any, content: Content, limits: Limits) -> Document:
    facts: dict[str, Fact] = {
        "media_type": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "size_bytes": content.size_bytes,
    }
    properties = found.core_properties
    for key, name in _PROPERTIES.items():
        if said := words.line(getattr(properties, key) or "", 400):
            facts[name] = said
    for key in ("created", "modified"):
        if (moment := getattr(properties, key)) is not None:
            facts[key] = moment.date().isoformat()
    parts, headings, tables = _parts(found, limits)
    if headings:
        facts["headings"] = tuple(headings)
    facts["paragraphs"] = len(parts)
    if tables:
        facts["tables"] = tables
    related = list(found.part.rels.values())[: limits.items]
    links = tuple(dict.fromkeys(words.line(one.target_ref, 2000) for one in related if one.reltype == _HYPERLINK))
    text = "\n".join(parts)
    title = words.line(properties.title or "") or next(iter(headings), content.name)
    return Document("docx", title, text, facts, links)


def _parts(found: Any, limits: Limits) -> tuple[list[str], list[str], int]:
    """Return the paragraphs, a row of a table as one, with the headings and the number of tables."""
    from docx.text.paragraph import Paragraph

    parts, headings, tables, left = list[str](), list[str](), 0, limits.text_chars
    deadline = Deadline(limits)
    for block in found.iter_inner_content():
        deadline.check()
        if left < 0:
            break
        if isinstance(block, Paragraph):
            said = [words.clean(block.text)]
            style = str(block.style.name if block.style is not None else "")
            if style.startswith(("Heading", "Title")) and said[0].strip() and len(headings) < limits.items:
                headings.append(words.line(said[0]))
        else:
            tables += 1
            said = ["\t".join(words.clean(cell.text) for cell in row.cells) for row in block.rows]
        parts += [one for one in said if one.strip()]
        left -= sum(len(one) + 1 for one in said)
    return parts, headings, tables
