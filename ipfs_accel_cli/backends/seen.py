"""How a place describes a file, in one word that is another one when the file is."""

from __future__ import annotations

from ipfs_accel_cli.backends.base import Stat


def described(stat: Stat) -> str:
    """Return what changes when the bytes do, as far as the place tells."""
    modified = "" if stat.modified_at is None else stat.modified_at.isoformat()
    return f"{stat.size_bytes}|{stat.etag or ''}|{modified}"
