"""JSON: every leaf under its path."""

from __future__ import annotations

from ipfs_accel_cli.extractors import values, words
from ipfs_accel_cli.extractors.base import Content, Document, Fact, Limits


class JsonExtractor:
    """A JSON document; `paths` are those of its leaves, with `[]` for any index."""

    name = "json"
    version = 1

    def extract(self, content: Content, limits: Limits) -> Document:
        """Make a document; raises MalformedContent and LimitReached."""
        value = values.load(content, limits)
        lines = values.Lines(limits)
        lines.add(value)
        facts: dict[str, Fact] = {"media_type": "application/json", "size_bytes": content.size_bytes}
        if isinstance(value, list):
            facts["items"] = len(value)
        if paths := tuple(path for path in lines.paths if path):
            facts["paths"] = paths
        title = value.get("title") or value.get("name") if isinstance(value, dict) else None
        named = words.line(title) if isinstance(title, str) else ""
        return Document("json", named or content.name, lines.text, facts, truncated=lines.truncated)
