"""Whether a model is a toy: its card says so."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

_LONGEST_CARD = 1 << 16
TOLD = "The model was trained by a script of ours and knows its own small world only."


@lru_cache(maxsize=64)
def is_toy(folder: Path) -> bool:
    """Say whether the front matter of a model's card has the tag `toy`."""
    card = folder / "README.md"
    if not card.is_file():
        return False
    with card.open("rb") as file:
        text = file.read(_LONGEST_CARD).decode("utf-8", "replace")
    front = re.match(r"\s*---\r?\n(.*?)\r?\n---", text, re.DOTALL)
    return bool(front and re.search(r"^tags:.*\btoy\b", front[1], re.MULTILINE))
