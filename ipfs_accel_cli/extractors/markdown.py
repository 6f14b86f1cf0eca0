"""Markdown: front matter, headings and links; the text without its marks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ipfs_accel_cli.core.errors import LimitReached, MalformedContent
from ipfs_accel_cli.extractors import front, words
from ipfs_accel_cli.extractors.base import Content, Document, Fact, Limits

_HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]+([^\n]*?)[ \t]*#*[ \t]*$", re.MULTILINE)
_LINK = re.compile(
    r"!?\[([^\[\]\n]{0,500})\]\(\s*<?([^\s()<>]{1,2000}(?:\([^\s()]{0,200}\))?)>?(?:\s[^()\n]{0,200})?\)"
)
_BARE = re.compile(r"<(https?://[^\s<>]{1,2000})>|^\[[^\]\n]{1,200}\]:[ \t]*(\S{1,2000})", re.MULTILINE)
_FENCE = re.compile(r"^ {0,3}(?:```|~~~)")
_COMMENT = re.compile(r"<!--.{0,20000}?-->", re.DOTALL)
_TAG = re.compile(r"</?[A-Za-z][^<>\n]{0,500}>")
_MARKS = re.compile(r"(\*\*|__|`+|~~|^[ \t]*(?:>[ \t]?)+|^ {0,3}#{1,6}[ \t]+|^[ \t|:-]*-{3}[ \t|:-]*$)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Page:
    """A Markdown file taken apart; `problem` says why its front matter could not be read."""

    values: Mapping[str, Any]
    headings: tuple[str, ...]
    text: str
    links: tuple[str, ...]
    truncated: bool
    problem: str = ""


class MarkdownExtractor:
    """A page of Markdown; its title is that of the front matter, else its first heading."""

    name = "markdown"
    version = 1

    def extract(self, content: Content, limits: Limits) -> Document:
        """Make a document of a page; raises UnsupportedContent for what is no text."""
        page = read(content, limits)
        facts = common(content, page, limits)
        for key in ("author", "date", "category"):
            if said := front.text(page.values.get(key)):
                facts[key] = said
        return Document("markdown", title(page, content), page.text, facts, page.links, page.truncated)


def read(content: Content, limits: Limits) -> Page:
    """Read a Markdown file."""
    found = words.read(content, limits)
    head, body = front.split(found.text)
    values: Mapping[str, Any] = {}
    problem = ""
    try:
        values = front.parse(head, content.name)
    except (MalformedContent, LimitReached) as error:
        problem = error.detail
    body = _COMMENT.sub(" ", body)
    headings = tuple(words.line(_unlinked(match[2])) for match in _HEADING.finditer(_prose(body)))[: limits.items]
    links = [match[2] for match in _LINK.finditer(body)]
    links += [match[1] or match[2] for match in _BARE.finditer(body)]
    text = _TAG.sub(" ", _MARKS.sub("", _unlinked(body)))
    kept = tuple(dict.fromkeys(links))[: limits.items]
    return Page(values, tuple(one for one in headings if one), text.strip() + "\n", kept, found.truncated, problem)


def common(content: Content, page: Page, limits: Limits) -> dict[str, Fact]:
    """Return the facts that every page of Markdown has."""
    facts: dict[str, Fact] = {"media_type": "text/markdown", "size_bytes": content.size_bytes}
    if page.headings:
        facts["headings"] = page.headings
    for key, name in (("tags", "tags"), ("language", "language"), ("keywords", "keywords")):
        if several := front.texts(page.values.get(key), limits.items):
            facts[name] = several
    if licence := front.text(page.values.get("license")) or front.text(page.values.get("licence")):
        facts["licence"] = licence
    if page.problem:
        facts["unreadable"] = page.problem
    return facts


def title(page: Page, content: Content) -> str:
    """Return what a page calls itself, else the name of its file."""
    return front.text(page.values.get("title")) or next(iter(page.headings), "") or content.name


def _unlinked(text: str) -> str:
    return _LINK.sub(r"\1", text)


def _prose(text: str) -> str:
    """Return the text without its fenced code, in which a `#` begins a comment."""
    lines, inside = list[str](), False
    for line in text.split("\n"):
        if _FENCE.match(line):
            inside = not inside
        elif not inside:
            lines.append(line)
    return "\n".join(lines)
