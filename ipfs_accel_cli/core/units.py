"""Quantities as people write them."""

from __future__ import annotations

import re

from ipfs_accel_cli.core.errors import Invalid

_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def human_bytes(count: int) -> str:
    """Return a count of bytes in binary units, such as `86.7 MiB`."""
    value = float(count)
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if abs(value) < 1024:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} PiB"


def parse_bytes(text: str) -> int:
    """Read a size: `1048576`, `1MiB` and `1M` (binary) are equal, `1MB` is a million bytes. Raises Invalid."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgtp]?)(i?b?)\s*", text.lower())
    if match is None:
        raise Invalid(f"{text!r} is not a size; write for example 512MiB or 2GB")
    base = 1000 if match[3] == "b" and match[2] else 1024
    return int(float(match[1]) * base ** _POWERS[match[2]])


def parse_duration(text: str) -> float:
    """Read a duration such as `90m`, `12h`, `30d` or `2w` as seconds. Raises Invalid."""
    match = re.fullmatch(r"\s*(\d{1,9}(?:\.\d{1,9})?)\s*([smhdw])\s*", text.lower())
    if match is None:
        raise Invalid(f"{text[:40]!r} is not a duration; write for example 12h, 30d or 2w")
    return float(match[1]) * _SECONDS[match[2]]
