"""The named recipes by which bytes become a DAG, and so get their CID."""

from __future__ import annotations

from dataclasses import dataclass

from .errors import Malformed

DEFAULT_PROFILE = "unixfs-v1-2025"


@dataclass(frozen=True, slots=True)
class Profile:
    """How a file is cut: the leaf size, the links per inner node, the CID version and the form of the leaves."""

    name: str
    chunk_bytes: int
    width: int
    cid_version: int
    raw_leaves: bool


PROFILES = {
    entry.name: entry
    for entry in (
        Profile("unixfs-v1-2025", chunk_bytes=1 << 20, width=1024, cid_version=1, raw_leaves=True),
        Profile("legacy-cid-v1", chunk_bytes=1 << 18, width=174, cid_version=1, raw_leaves=True),
        Profile("unixfs-v0-2015", chunk_bytes=1 << 18, width=174, cid_version=0, raw_leaves=False),
    )
}


def profile(name: str = DEFAULT_PROFILE) -> Profile:
    """Find a profile by its name; raises Malformed with the names that exist."""
    try:
        return PROFILES[name]
    except KeyError:
        raise Malformed(f"no CID profile named {name!r}; known are {', '.join(PROFILES)}") from None
