"""Make documents.jsonl of this project's pages: `python scripts/retrieval/sections.py`, when the set is made anew.

A document is a decision, or a section of a page under its heading. The judgements of queries.tsv name documents by
their ids, so the file is kept as it was when it was judged, whatever the pages say since.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
DOCS = HERE.parents[1] / "docs"
PAGES = ("*.md", "cookbook/*.md", "tutorials/*.md")
LEFT_OUT = {"coverage", "glossary"}
LEAST_CHARACTERS = 120


def documents() -> Iterator[dict[str, str]]:
    """Yield the documents in the order of their ids."""
    for path in sorted((DOCS / "decisions").glob("*.md")):
        title, _, text = path.read_text("utf-8").partition("\n")
        yield {"id": f"d{path.name[:4]}", "title": re.sub(r"^# \d+\W+", "", title), "text": text.strip()}
    for path in sorted(page for pattern in PAGES for page in DOCS.glob(pattern)):
        if path.stem not in LEFT_OUT:
            yield from _sections(path)


def _sections(path: Path) -> Iterator[dict[str, str]]:
    parts = re.split(r"^## ", path.read_text("utf-8"), flags=re.M)
    page = parts[0].partition("\n")[0].lstrip("# ")
    name = path.relative_to(DOCS).with_suffix("").as_posix()
    for place, part in enumerate(parts):
        heading, _, text = part.partition("\n")
        if len(text.strip()) >= LEAST_CHARACTERS:
            title = f"{page}: {heading}" if place else page
            yield {"id": f"{name}-{place}", "title": title, "text": text.strip()}


def main() -> None:
    """Write them."""
    lines = [json.dumps(one, ensure_ascii=False) + "\n" for one in documents()]
    (HERE / "documents.jsonl").write_text("".join(lines), "utf-8")
    print(f"{len(lines)} documents")


if __name__ == "__main__":
    main()
