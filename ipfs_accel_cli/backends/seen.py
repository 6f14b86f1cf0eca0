"""How a place describes a file, in one word that is another one when the file is."""

from __future__ import annotations

from ipfs_accel_cli.backends.base import Stat


def described(stat: Stat) -> str:
    """Return what changes when the bytes do, as far as the place tells."""
    modified = "" if stat.modified_at is None else stat.modified_at.isoformat()
    return f"{stat.size_bytes}|{stat.etag or ''}|{modified}"


def is_strong(etag: str | None) -> bool:
    """Say whether a tag changes with every change of the bytes (RFC 9110, section 8.8.1)."""
    return bool(etag) and not str(etag).startswith("W/")


def is_still(before: str, stat: Stat) -> bool:
    """Say whether a file is what was described so before; a strong tag tells it without the time."""
    if is_strong(stat.etag) and before == f"{stat.size_bytes}|{stat.etag}|":
        return True
    return before == described(stat)
