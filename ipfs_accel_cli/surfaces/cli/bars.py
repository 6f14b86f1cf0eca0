"""Bars for shares between 0 and 1: drawn on a terminal, a plain percentage where nobody looks."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

CELLS = 16

# Eighths of a cell, so that a bar moves before a whole cell is full.
_PARTS = " ▏▎▍▌▋▊▉█"
_HEIGHTS = "▁▂▃▄▅▆▇█"


def drawn() -> bool:
    """Say whether standard output is a terminal that wants more than plain text."""
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def bar(share: float, cells: int = CELLS) -> str:
    """Return a bar of so many cells; a share outside 0 to 1 is drawn as the nearest."""
    eighths = round(max(0.0, min(1.0, share)) * cells * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_PARTS[rest] if rest else "")).ljust(cells, "░")


def share_text(share: float | None, cells: int = CELLS) -> str:
    """Return a share as a percentage, behind its bar on a terminal; nothing for what is not known."""
    if share is None:
        return ""
    percentage = f"{share:.1%}"
    return f"{bar(share, cells)} {percentage:>6}" if drawn() else percentage


def columns(shares: Sequence[float | None]) -> str:
    """Return many shares as a row of columns on a terminal, as percentages elsewhere; what is not known is a blank."""
    if not drawn():
        return " ".join("-" if share is None else f"{share:.0%}" for share in shares)
    top = len(_HEIGHTS) - 1
    return "".join(" " if share is None else _HEIGHTS[round(max(0.0, min(1.0, share)) * top)] for share in shares)


def colour(share: float) -> str:
    """Return the colour that a share of something scarce is drawn in."""
    return "red" if share >= 0.9 else "yellow" if share >= 0.7 else "green"
