"""Long texts in parts that a reader could take in at once."""

from __future__ import annotations

from dataclasses import dataclass

TARGET_CHARS = 1500


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of a text, where it begins, and the heading that it stands under."""

    text: str
    start: int
    heading: str = ""


def chunks(text: str) -> list[Chunk]:
    """Cut a text near the ends of paragraphs, lines or words."""
    if len(text) <= TARGET_CHARS:
        return [Chunk(text, 0)] if text else []
    found: list[Chunk] = []
    at = 0
    while at < len(text):
        end = at + TARGET_CHARS
        if end < len(text):
            low = at + TARGET_CHARS // 2
            for mark in ("\n\n", "\n", ". ", " "):
                cut = text.rfind(mark, low, end)
                if cut > 0:
                    end = cut + len(mark)
                    break
        found.append(Chunk(text[at:end], at))
        at = end
    return found
