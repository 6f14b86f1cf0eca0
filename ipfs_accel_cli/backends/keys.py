"""Keys: what a file is called at a place."""

from __future__ import annotations

from ipfs_accel_cli.core.errors import Invalid

MAX_KEY_BYTES = 900  # S3 allows 1024, and a prefix goes before it.


def checked_key(key: str) -> str:
    """Return a key; raises Invalid for one that leaves its place or that not every place can have."""
    names = key.split("/")
    if any(name in ("", ".", "..") for name in names) or not key.isprintable():
        raise Invalid(f"{key[:80]!r} is no path at a backend: names with / between them, none of them empty, . or ..")
    if len(key.encode("utf-8", "surrogatepass")) > MAX_KEY_BYTES:
        raise Invalid(f"{key[:80]!r}… is too long for a path at a backend")
    return key
