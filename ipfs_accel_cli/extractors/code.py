"""Source code: its language, what it defines and what its comments say."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ipfs_accel_cli.extractors import languages, words
from ipfs_accel_cli.extractors.base import Content, Deadline, Document, Fact, Limits
from ipfs_accel_cli.extractors.languages import Language

# Minified programs have lines of megabytes, in which nobody looks for a definition.
_LONGEST_LINE = 400
_LONGEST_COMMENT = 20_000
_STEP = 4096
_MEDIA = {"python": "text/x-python", "javascript": "text/javascript", "css": "text/css"}
_LINK = re.compile(r"https?://[^\s\"'<>)\]}]{1,2000}")
_WORDS = frozenset({"if", "for", "while", "switch", "return", "else", "catch", "sizeof", "new", "in", "do", "case"})


class CodeExtractor:
    """A program or a file of settings. The text is all of it; comments and definitions are told apart as facts."""

    name = "code"
    version = 1

    def extract(self, content: Content, limits: Limits) -> Document:
        """Make a document of a program; raises UnsupportedContent for what is no text, and LimitReached."""
        found = words.read(content, limits)
        language = languages.of(content.name, found.text) or Language("unknown", ("#", "//"), (("/*", "*/"),))
        defined = tuple(dict.fromkeys(_definitions(found.text, language, Deadline(limits))))[: limits.items]
        facts: dict[str, Fact] = {
            "media_type": _MEDIA.get(language.name, "text/plain"),
            "size_bytes": content.size_bytes,
            "programming_language": language.name,
            "lines": found.text.count("\n") + (not found.text.endswith("\n") and bool(found.text)),
        }
        if defined:
            facts["definitions"] = defined
        if first := next(_comments(found.text, language), ""):
            facts["summary"] = words.line(first, 400)
        links = tuple(dict.fromkeys(_LINK.findall(found.text)))[: limits.items]
        return Document("code", content.name, found.text, facts, links, found.truncated)


def _definitions(text: str, language: Language, deadline: Deadline) -> Iterator[str]:
    for number, line in enumerate(text.split("\n")):
        if number % _STEP == 0:
            deadline.check()
        plain = line.strip()
        if not plain or len(plain) > _LONGEST_LINE or plain.startswith(language.line):
            continue
        for pattern in language.definitions:
            match = pattern.match(plain)
            if match and match[1] not in _WORDS and plain.split(" ", 1)[0] not in _WORDS:
                yield match[1]
                break


def _comments(text: str, language: Language) -> Iterator[str]:
    """Yield the comments that begin a line, those of neighbouring lines as one."""
    position = 0
    lines: list[str] = []
    while position < len(text):
        end = text.find("\n", position)
        end = len(text) if end < 0 else end
        plain = text[position : min(end, position + _LONGEST_LINE)].strip()
        mark = next((one for one in language.line if plain.startswith(one)), "")
        pair = next((one for one in language.block if plain.startswith(one[0])), None)
        if mark and not plain.startswith("#!"):
            lines.append(plain.strip(f"{mark[0]}! ").strip())
        elif lines:
            yield "\n".join(lines)
            lines = []
        if pair is not None and not mark:
            begin = text.index(pair[0], position) + len(pair[0])
            stop = text.find(pair[1], begin, begin + _LONGEST_COMMENT)
            if stop >= 0:
                yield "\n".join(line.strip(" \t*") for line in text[begin:stop].split("\n")).strip()
                end = max(end, stop + len(pair[1]))
        position = end + 1
    if lines:
        yield "\n".join(lines)
