"""HTML: the text that a reader sees, headings, links and what the head says."""

from __future__ import annotations

from html.parser import HTMLParser

from ipfs_accel_cli.extractors import words
from ipfs_accel_cli.extractors.base import Content, Deadline, Document, Fact, Limits

_UNSEEN = frozenset({"script", "style", "template", "noscript", "svg", "head", "iframe", "object"})
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_INLINE = frozenset(
    {"a", "abbr", "b", "code", "em", "i", "mark", "q", "s", "small", "span", "strong", "sub", "sup", "u", "wbr"}
)
_SAID = {
    **{"description": "description", "author": "author", "keywords": "keywords", "og:description": "description"},
    **{"article:published_time": "created", "dc.title": "title", "og:title": "title"},
}
_STEP = 1 << 16


class HtmlExtractor:
    """A page of HTML."""

    name = "html"
    version = 1

    def extract(self, content: Content, limits: Limits) -> Document:
        """Make a document of a page; raises UnsupportedContent for what is no text and LimitReached."""
        found = words.read(content, limits)
        deadline = Deadline(limits)
        page = _Page(limits.items)
        for start in range(0, len(found.text), _STEP):
            page.feed(found.text[start : start + _STEP])
            deadline.check()
        page.close()
        facts: dict[str, Fact] = {
            "media_type": "text/html",
            "size_bytes": content.size_bytes,
            "encoding": found.encoding,
        }
        if page.headings:
            facts["headings"] = tuple(page.headings)
        for key, value in page.said.items():
            facts[key] = (
                tuple(filter(None, (words.line(one) for one in value.split(",")))) if key == "keywords" else value
            )
        title = (
            words.line("".join(page.title)) or str(facts.pop("title", "")) or next(iter(page.headings), content.name)
        )
        facts.pop("title", None)
        text = "\n".join(line for line in (" ".join(one.split()) for one in "".join(page.text).split("\n")) if line)
        links = tuple(dict.fromkeys(page.links))
        return Document("html", title, text, facts, links, found.truncated)


class _Page(HTMLParser):
    """Collects what a page shows; it holds no tree, so no nesting is too deep."""

    def __init__(self, items: int) -> None:
        super().__init__(convert_charrefs=True)
        self._items = items
        self._unseen: list[str] = []
        self._heading: list[str] | None = None
        self._in_title = False
        self.title: list[str] = []
        self.text: list[str] = []
        self.headings: list[str] = []
        self.links: list[str] = []
        self.said: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag says."""
        given = {key: value or "" for key, value in attrs}
        if tag == "html" and given.get("lang"):
            self.said["language"] = words.line(given["lang"], 40)
        elif tag == "meta":
            name = _SAID.get((given.get("name") or given.get("property") or "").lower())
            if name and given.get("content"):
                self.said.setdefault(name, words.line(given["content"], 1000))
        elif tag == "title" and not self.title:
            self._in_title = True
        elif tag in ("a", "area") and given.get("href") and len(self.links) < self._items:
            self.links.append(words.line(given["href"], 2000))
        elif tag == "img" and given.get("alt"):
            self.text.append(f" {given['alt']} ")
        if tag == "body":
            self._unseen.clear()  # A head that nobody closed.
        if tag in _UNSEEN and len(self._unseen) < self._items:
            self._unseen.append(tag)
        if tag in _HEADINGS:
            self._heading = []
        if tag not in _INLINE:
            self.text.append("\n")

    def handle_endtag(self, tag: str) -> None:
        """Leave what a tag opened."""
        if tag == "title":
            self._in_title = False
        if tag in self._unseen[-8:]:
            while self._unseen.pop() != tag:
                pass
        if tag in _HEADINGS and self._heading is not None:
            if (heading := words.line("".join(self._heading))) and len(self.headings) < self._items:
                self.headings.append(heading)
            self._heading = None
        if tag not in _INLINE:
            self.text.append("\n")

    def handle_data(self, data: str) -> None:
        """Keep text that is seen."""
        if self._in_title:
            self.title.append(data)
        elif not self._unseen:
            self.text.append(data.replace("\n", " "))
            if self._heading is not None:
                self._heading.append(data)
