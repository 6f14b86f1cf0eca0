"""Which distributions are installed, as the names of their folders tell it: nothing is imported and little is read.

`importlib.metadata` costs several times as much as the rest of a small command, because it parses what it finds.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from importlib.machinery import PathFinder
from pathlib import Path

_METADATA = re.compile(r"(?P<name>[^-]+)-(?P<version>[^-]+)(?:-[^-]+)*\.(?:dist|egg)-info")


def installed() -> dict[str, str]:
    """Return the versions of what is installed by normalised name (`huggingface-hub`); the first on the path counts.

    What does not lie in a folder of its own name, such as a zip, is left out.
    """
    found: dict[str, str] = {}
    for folder in _folders():
        match = _METADATA.fullmatch(folder.name)
        if match is not None:
            found.setdefault(normalised(match["name"]), match["version"])
    return found


def normalised(name: str) -> str:
    """Return a distribution's name as the package index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def may_announce(group: str) -> bool:
    """Say whether any distribution may have entry points of a group; False is certain, True has to be looked up."""
    if any(finder is not PathFinder and hasattr(finder, "find_distributions") for finder in sys.meta_path):
        return True
    if any(os.path.isfile(place) for place in sys.path):
        return True  # An archive, which only importlib.metadata looks into.
    section = f"[{group}]".encode()
    return any(section in _read(folder / "entry_points.txt") for folder in _folders())


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _folders() -> Iterator[Path]:
    for place in dict.fromkeys(sys.path):
        try:
            names = os.listdir(place or ".")
        except OSError:
            continue
        yield from (Path(place, name) for name in names if name.endswith((".dist-info", ".egg-info")))
