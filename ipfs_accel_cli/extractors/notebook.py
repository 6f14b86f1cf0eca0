"""Notebooks of Jupyter: what was written and the programs, without the pictures that came out."""

from __future__ import annotations

from typing import Any

from ipfs_accel_cli.core.errors import MalformedContent
from ipfs_accel_cli.extractors import values, words
from ipfs_accel_cli.extractors.base import Content, Document, Fact, Limits


class NotebookExtractor:
    """A notebook of format 3 or 4."""

    name = "notebook"
    version = 1

    def extract(self, content: Content, limits: Limits) -> Document:
        """Make a document of a notebook; raises MalformedContent and LimitReached."""
        found = values.load(content, limits)
        if not isinstance(found, dict) or not isinstance(cells := _cells(found), list):
            raise MalformedContent(f"{content.name} is no notebook: it has no cells")
        parts, headings = list[str](), list[str]()
        for cell in cells[: limits.items]:
            if not isinstance(cell, dict):
                continue
            text = words.clean(_joined(cell.get("source", cell.get("input"))))
            parts.append(text)
            if cell.get("cell_type") == "markdown":
                headings += [words.line(one.lstrip("# ")) for one in text.split("\n") if one.startswith("#")]
        facts: dict[str, Fact] = {
            "media_type": "application/x-ipynb+json",
            "size_bytes": content.size_bytes,
            "cells": len(cells),
        }
        if language := _language(found):
            facts["programming_language"] = language
        if headings:
            facts["headings"] = tuple(headings[: limits.items])
        text = "\n\n".join(part for part in parts if part.strip())
        more = len(cells) > limits.items
        return Document("notebook", next(iter(headings), content.name), text, facts, truncated=more)


def _cells(found: dict[str, Any]) -> Any:
    if "cells" in found:
        return found["cells"]
    sheets = found.get("worksheets")
    return sheets[0].get("cells") if isinstance(sheets, list) and sheets and isinstance(sheets[0], dict) else None


def _joined(source: Any) -> str:
    lines = source if isinstance(source, list) else [source]
    return "".join(line for line in lines if isinstance(line, str))


def _language(found: dict[str, Any]) -> str:
    metadata = found.get("metadata")
    known = metadata.get("language_info") or metadata.get("kernelspec") if isinstance(metadata, dict) else None
    name = known.get("name") or known.get("language") if isinstance(known, dict) else None
    return words.line(name).lower() if isinstance(name, str) else ""
