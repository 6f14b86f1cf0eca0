"""Lenient reading of the small text files in which Linux describes itself."""

from __future__ import annotations

import re
from pathlib import Path

MAX_BYTES = 16 << 20  # /proc/cpuinfo of a machine with a thousand cores is about 2 MB.
MAX_CORES = 1 << 16

_NUMBER = re.compile(r"-?[0-9]{1,20}")
_RANGE = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?")
_HEXADECIMAL = re.compile(r"(?:0x)?([0-9a-fA-F]{1,8})")
_SIZE = re.compile(r"([0-9]{1,15})([KMG]?)")


def text(path: Path) -> str | None:
    """Return the text of a file, stripped, or None when it cannot be read; bytes that are not UTF-8 are replaced."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES).decode("utf-8", "replace").strip()
    except (OSError, ValueError):
        return None


def number(path: Path) -> int | None:
    """Return the whole number that a file holds, or None when it holds anything else."""
    return parse_number(text(path))


def natural(path: Path) -> int | None:
    """Return the whole number that a file holds, or None when it is negative or anything else."""
    found = number(path)
    return found if found is not None and found >= 0 else None


def hexadecimal(source: str | None) -> int | None:
    """Read a number such as `0x1002` or `1002`, of base 16; None for anything else."""
    match = _HEXADECIMAL.fullmatch(source or "")
    return int(match[1], 16) if match else None


def parse_number(word: str | None) -> int | None:
    """Read a whole number of at most 20 digits; None for anything else."""
    return int(word) if word is not None and _NUMBER.fullmatch(word) else None


def fields(source: str | None, separator: str | None = ":") -> dict[str, str]:
    """Return `key: value` lines as a mapping; the first of equal keys counts, other lines are skipped."""
    found: dict[str, str] = {}
    for line in (source or "").splitlines():
        key, *rest = line.split(separator, 1)
        if rest:
            found.setdefault(key.strip(), rest[0].strip())
    return found


def count_cores(source: str | None) -> int | None:
    """Count the cores in a list such as `0-3,8`; None when it is not such a list."""
    count = 0
    for part in (source or "").split(","):
        match = _RANGE.fullmatch(part.strip())
        if match is None:
            return None
        count += int(match[2] or match[1]) - int(match[1]) + 1
    return count if 0 < count <= MAX_CORES else None


def cache_bytes(source: str | None) -> int | None:
    """Read a cache size such as `48K` (binary); None when it is not one."""
    match = _SIZE.fullmatch(source or "")
    return int(match[1]) << {"": 0, "K": 10, "M": 20, "G": 30}[match[2]] if match else None
