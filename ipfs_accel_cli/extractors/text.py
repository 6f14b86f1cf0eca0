"""Plain text."""

from __future__ import annotations

from ipfs_accel_cli.extractors import words
from ipfs_accel_cli.extractors.base import Content, Document, Fact, Limits


class TextExtractor:
    """Text as it stands; its title is the name of the file, because a first line may be anything."""

    name = "text"
    version = 1

    def extract(self, content: Content, limits: Limits) -> Document:
        """Make a document of a file of text; raises UnsupportedContent for what is none."""
        found = words.read(content, limits)
        facts: dict[str, Fact] = {
            "media_type": "text/plain",
            "size_bytes": content.size_bytes,
            "encoding": found.encoding,
            "lines": found.text.count("\n") + (not found.text.endswith("\n") and bool(found.text)),
        }
        return Document("text", content.name, found.text, facts, truncated=found.truncated)
